/* Where steps stand when nobody has placed them: from the top to the bottom. */

import dagre from '@dagrejs/dagre';
import type { Graph, Position, Step, World } from './graph';

export const WIDTH = 272;
export const HEIGHT = 80;
export const HEIGHT_WITH_NUMBERS = 108;
const PORT_WIDTH = 104;
const GAP_X = 48;
const GAP_Y = 76;

/** How wide a step is drawn: wide enough for the labels of its ways out. */
export function widthOf(ports: number): number {
  return Math.max(WIDTH, ports * PORT_WIDTH);
}

export interface Layout {
  readonly positions: Map<string, Position>;
  /** Where a way that passes other steps runs, by its source and port: an x beside them. */
  readonly lanes: ReadonlyMap<string, number>;
}

/** Lay the whole graph out; what watches stands in a column beside the rest. */
export function autoLayout(graph: Graph, world: World, height = HEIGHT): Layout {
  const isWatch = (step: Step) => world.kindOf(step.kind)?.role === 'watch';
  const flow = new dagre.graphlib.Graph();
  flow.setGraph({ rankdir: 'TB', nodesep: GAP_X, ranksep: GAP_Y });
  flow.setDefaultEdgeLabel(() => ({}));
  const joined = graph.nodes.filter((one) => !isWatch(one));
  for (const step of joined) {
    flow.setNode(step.id, { width: widthOf(world.portsOf(step).length), height });
  }
  for (const step of joined) {
    const order = new Map(world.portsOf(step).map(([name], n) => [name, n]));
    graph.edges
      .filter((one) => one.source === step.id && flow.hasNode(one.target))
      .sort((a, b) => (order.get(a.port) ?? 99) - (order.get(b.port) ?? 99))
      .forEach((one) => flow.setEdge(one.source, one.target));
  }
  // Without it, ways would change places with every step that is added.
  dagre.layout(flow, { disableOptimalOrderHeuristic: true });
  const found = new Map<string, Position>();
  let right = 0;
  let top = Infinity;
  for (const step of joined) {
    const { x, y, width } = flow.node(step.id) as { x: number; y: number; width: number };
    found.set(step.id, [Math.round(x - width / 2), Math.round(y - height / 2)]);
    right = Math.max(right, x + width / 2);
    top = Math.min(top, y - height / 2);
  }
  graph.nodes.filter(isWatch).forEach((step, n) => {
    const y = (Number.isFinite(top) ? top : 0) + n * (height + GAP_X / 2);
    found.set(step.id, [Math.round(right + GAP_X * 2), Math.round(y)]);
  });
  const lanes = new Map<string, number>();
  for (const one of graph.edges) {
    if (!flow.hasNode(one.source) || !flow.hasNode(one.target)) continue;
    const { points } = flow.edge(one.source, one.target) as { points: { x: number }[] };
    const middle = points[Math.floor(points.length / 2)];
    if (middle && points.length > 3) lanes.set(`${one.source}/${one.port}`, Math.round(middle.x));
  }
  return { positions: found, lanes };
}

/** Where every step stands: as placed; what was not is put below what leads to it. */
export function layoutOf(graph: Graph, world: World, height = HEIGHT): Layout {
  const placed = new Map<string, Position>();
  for (const one of graph.nodes) if (one.position) placed.set(one.id, one.position);
  if (placed.size === 0) return autoLayout(graph, world, height);
  for (const one of graph.nodes) {
    if (placed.has(one.id)) continue;
    const way = graph.edges.find((edge) => edge.target === one.id && placed.has(edge.source));
    const above = way && placed.get(way.source);
    let at: Position = above ? [above[0], above[1] + height + GAP_Y] : [0, 0];
    while ([...placed.values()].some((p) => overlaps(p, at, height))) {
      at = [at[0], at[1] + height / 2];
    }
    placed.set(one.id, at);
  }
  return { positions: placed, lanes: new Map() };
}

function overlaps(a: Position, b: Position, height: number): boolean {
  return Math.abs(a[0] - b[0]) < WIDTH && Math.abs(a[1] - b[1]) < height + 16;
}
