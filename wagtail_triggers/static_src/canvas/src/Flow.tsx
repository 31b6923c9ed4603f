import {
  applyNodeChanges,
  Background,
  MarkerType,
  MiniMap,
  ReactFlow,
  useReactFlow,
  type Connection,
  type NodeChange,
} from '@xyflow/react';
import {
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
  type DragEvent,
  type KeyboardEvent,
} from 'react';
import { useCanvas } from './context';
import { canEnter, stepOf, targetOf, type Place, type Position } from './graph';
import { HEIGHT, HEIGHT_WITH_NUMBERS, layoutOf, widthOf } from './layout';
import { DRAGGED } from './Palette';
import { StepNode, type StepFlowNode } from './StepNode';
import { WayEdge, type WayFlowEdge } from './WayEdge';

const NODE_TYPES = { step: StepNode };
const EDGE_TYPES = { way: WayEdge };
/** How near (in pixels of the canvas) a drop must be to a line to fall into it. */
const NEAR = 48;
/** Smaller than this nothing can be read. */
const LEAST_ZOOM = 0.8;

interface FlowProps {
  selected: readonly string[];
  onSelect: (ids: string[]) => void;
  onPlace: (positions: Map<string, Position>) => void;
  onConnect: (source: string, port: string, target: string) => void;
  onDropKind: (kind: string, at: Position, place: Place | undefined) => void;
  /** Changes when a step is to be brought into view. */
  goTo: { id: string; n: number } | null;
}

/** The drawing itself. What is drawn comes from the graph; what is done to it goes back up. */
export function Flow({ selected, onSelect, onPlace, onConnect, onDropKind, goTo }: FlowProps) {
  const canvas = useCanvas();
  const { graph, world, isRtl, readOnly, hasNumbers } = canvas;
  const height = hasNumbers ? HEIGHT_WITH_NUMBERS : HEIGHT;
  const flow = useReactFlow<StepFlowNode, WayFlowEdge>();
  const [nodes, setNodes] = useState<StepFlowNode[]>([]);
  const [dropAt, setDropAt] = useState<Place | undefined>(undefined);

  const { positions, lanes } = useMemo(
    () => layoutOf(graph, world, height),
    [graph, world, height],
  );
  const widths = useMemo(
    () => new Map(graph.nodes.map((one) => [one.id, widthOf(world.portsOf(one).length)])),
    [graph, world],
  );
  // The graph is drawn from the start of the line to its end: from the right in Arabic.
  const flip = useCallback(
    (id: string, [x, y]: Position): Position => (isRtl ? [-x - (widths.get(id) ?? 0), y] : [x, y]),
    [isRtl, widths],
  );

  useEffect(() => {
    setNodes((before) => {
      const known = new Map(before.map((one) => [one.id, one]));
      return graph.nodes.map((step) => {
        const [x, y] = flip(step.id, positions.get(step.id) ?? [0, 0]);
        return {
          ...known.get(step.id),
          id: step.id,
          type: 'step' as const,
          position: { x, y },
          width: widths.get(step.id) ?? 0,
          height,
          data: { step },
          selected: selected.includes(step.id),
          ariaLabel: canvas.nameOf(step.id),
        };
      });
    });
    // `nameOf` changes with every reading of the server; the labels follow with the next change.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [graph, positions, widths, flip, height, selected, canvas.nameOf]);

  const edges = useMemo<WayFlowEdge[]>(
    () =>
      graph.edges
        .filter((one) => stepOf(graph, one.source) && stepOf(graph, one.target))
        .map((one) => ({
          id: `${one.source}/${one.port}`,
          type: 'way' as const,
          source: one.source,
          sourceHandle: one.port,
          target: one.target,
          focusable: false,
          reconnectable: !readOnly,
          selectable: false,
          markerEnd: { type: MarkerType.ArrowClosed, width: 18, height: 18 },
          data: {
            place: { source: one.source, port: one.port },
            target: one.target,
            lane: laneOf(lanes.get(`${one.source}/${one.port}`), isRtl),
            isTarget: dropAt?.source === one.source && dropAt.port === one.port,
          },
        })),
    [graph, readOnly, dropAt, lanes, isRtl],
  );

  const onNodesChange = useCallback(
    (changes: NodeChange<StepFlowNode>[]) => {
      setNodes((before) => applyNodeChanges(changes, before));
      const picks = changes.filter((one) => one.type === 'select');
      if (picks.length === 0) return;
      const now = new Set(selected);
      picks.forEach((one) => (one.selected ? now.add(one.id) : now.delete(one.id)));
      onSelect([...now]);
    },
    [selected, onSelect],
  );

  const dragged = () => {
    const placed = flow.getNodes().map((one): [string, Position] => [
      one.id,
      flip(one.id, [one.position.x, one.position.y]),
    ]);
    onPlace(new Map(placed));
  };

  const wayNear = (at: Position): Place | undefined => {
    let best: { place: Place; distance: number } | undefined;
    for (const one of edges) {
      const source = flow.getNode(one.source);
      const target = flow.getNode(one.target);
      if (!source || !target || !one.data) continue;
      const from = [source.position.x + (source.width ?? 0) / 2, source.position.y + height] as const;
      const to = [target.position.x + (target.width ?? 0) / 2, target.position.y] as const;
      const distance = distanceToSegment(at, from, to);
      if (distance < NEAR && distance < (best?.distance ?? Infinity)) {
        best = { place: one.data.place, distance };
      }
    }
    return best?.place;
  };

  const over = (event: DragEvent) => {
    if (!event.dataTransfer.types.includes(DRAGGED)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = 'copy';
    const { x, y } = flow.screenToFlowPosition({ x: event.clientX, y: event.clientY });
    setDropAt(wayNear([x, y]));
  };

  const dropped = (event: DragEvent) => {
    const kind = event.dataTransfer.getData(DRAGGED);
    if (!kind) return;
    event.preventDefault();
    const { x, y } = flow.screenToFlowPosition({ x: event.clientX, y: event.clientY });
    const [fx, fy] = isRtl ? [-x, y] : [x, y];
    onDropKind(kind, [Math.round(fx - 132), Math.round(fy - 40)], wayNear([x, y]));
    setDropAt(undefined);
  };

  /* Enter opens the settings; the arrows walk along the ways. */
  const typed = (event: KeyboardEvent) => {
    const target = event.target as HTMLElement;
    if (!target.classList.contains('react-flow__node')) return;
    const id = target.dataset.id ?? '';
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      canvas.open(id, true);
      return;
    }
    const next = neighbour(id, event.key);
    if (next === undefined) return;
    event.preventDefault();
    onSelect([next]);
    const element = event.currentTarget.querySelector<HTMLElement>(
      `.react-flow__node[data-id="${CSS.escape(next)}"]`,
    );
    element?.focus();
  };

  const neighbour = (id: string, key: string): string | undefined => {
    const step = stepOf(graph, id);
    if (!step) return undefined;
    const ports = world.portsOf(step);
    const ways = ports.map(([port]) => targetOf(graph, { source: id, port })).filter((one) => one);
    if (key === 'ArrowDown') return ways[0];
    if (key === 'ArrowUp') return graph.edges.find((one) => one.target === id)?.source;
    if (key !== 'ArrowLeft' && key !== 'ArrowRight') return undefined;
    const above = graph.edges.find((one) => one.target === id);
    const siblings = above
      ? graph.edges.filter((one) => one.source === above.source).map((one) => one.target)
      : graph.nodes.filter((n) => !graph.edges.some((e) => e.target === n.id)).map((n) => n.id);
    const forward = (key === 'ArrowRight') !== isRtl;
    return siblings[siblings.indexOf(id) + (forward ? 1 : -1)];
  };

  // At first the beginning is seen, as large as can be read, rather than all of it.
  const holder = useRef<HTMLDivElement>(null);
  const isHome = useRef(false);
  useEffect(() => {
    const element = holder.current;
    if (!element || isHome.current || nodes.length === 0) return;
    isHome.current = true;
    const { x, y, width, height: tall } = flow.getNodesBounds(nodes);
    const room = { width: element.clientWidth, height: element.clientHeight };
    const share = Math.min(room.width / (width + 80), room.height / (tall + 80));
    const zoom = Math.min(1, Math.max(share, LEAST_ZOOM));
    void flow.setViewport({
      x: room.width / 2 - (x + width / 2) * zoom,
      y: tall * zoom < room.height - 40 ? (room.height - tall * zoom) / 2 - y * zoom : 32 - y * zoom,
      zoom,
    });
  }, [flow, nodes]);

  // Where lines begin at the right, the drawing keeps its place from there when the panel opens.
  useEffect(() => {
    const element = holder.current;
    if (!element || !isRtl) return;
    let width = element.clientWidth;
    const sizes = new ResizeObserver(() => {
      const { x, y, zoom } = flow.getViewport();
      void flow.setViewport({ x: x + element.clientWidth - width, y, zoom });
      width = element.clientWidth;
    });
    sizes.observe(element);
    return () => sizes.disconnect();
  }, [flow, isRtl]);

  useEffect(() => {
    if (!goTo) return;
    const at = positions.get(goTo.id);
    if (!at) return;
    const [x, y] = flip(goTo.id, at);
    const size = { width: widths.get(goTo.id) ?? 0, height };
    if (isSeen(holder.current, flow.flowToScreenPosition({ x, y }), size, flow.getZoom())) return;
    const zoom = Math.max(flow.getZoom(), 0.75);
    void flow.setCenter(x + (widths.get(goTo.id) ?? 0) / 2, y + height / 2, { zoom, duration: 200 });
    // Only when it is asked for, not whenever something moves.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [goTo]);

  return (
    <div
      ref={holder}
      className="triggers-flow"
      dir="ltr"
      onDragOver={over}
      onDragLeave={() => setDropAt(undefined)}
      onDrop={dropped}
      onKeyDown={typed}
    >
      <ReactFlow<StepFlowNode, WayFlowEdge>
        nodes={nodes}
        edges={edges}
        nodeTypes={NODE_TYPES}
        edgeTypes={EDGE_TYPES}
        onNodesChange={onNodesChange}
        onNodeClick={(event, node) => {
          const isSeveral = event.shiftKey || event.metaKey || event.ctrlKey;
          if (!isSeveral) canvas.open(node.id, false);
        }}
        onPaneClick={() => onSelect([])}
        onNodeDragStop={dragged}
        onSelectionDragStop={dragged}
        onConnect={(one: Connection) => {
          if (one.sourceHandle) onConnect(one.source, one.sourceHandle, one.target);
        }}
        onReconnect={(_old, one) => {
          if (one.sourceHandle) onConnect(one.source, one.sourceHandle, one.target);
        }}
        isValidConnection={(one) => {
          const target = stepOf(graph, one.target);
          return Boolean(target && one.source !== one.target && canEnter(target, world.kindOf));
        }}
        nodesDraggable={!readOnly}
        nodesConnectable={!readOnly}
        disableKeyboardA11y
        deleteKeyCode={null}
        multiSelectionKeyCode={['Meta', 'Control']}
        onlyRenderVisibleElements={graph.nodes.length > 60}
        minZoom={0.1}
        maxZoom={1.5}
        zoomOnScroll={false}
        panOnScroll
        preventScrolling={false}
        proOptions={{ hideAttribution: true }}
      >
        <Background />
        {graph.nodes.length > 8 && (
          <MiniMap pannable zoomable ariaLabel={canvas.t('minimap')} position="bottom-right" />
        )}
      </ReactFlow>
    </div>
  );
}

function isSeen(
  holder: HTMLElement | null,
  at: { x: number; y: number },
  size: { width: number; height: number },
  zoom: number,
): boolean {
  if (!holder) return false;
  const room = holder.getBoundingClientRect();
  return (
    at.x >= room.left &&
    at.y >= room.top &&
    at.x + size.width * zoom <= room.right &&
    at.y + size.height * zoom <= room.bottom
  );
}

function laneOf(x: number | undefined, isRtl: boolean): number | null {
  if (x === undefined) return null;
  return isRtl ? -x : x;
}

function distanceToSegment(at: Position, from: Position, to: Position): number {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const length = dx * dx + dy * dy;
  const share = length === 0 ? 0 : ((at[0] - from[0]) * dx + (at[1] - from[1]) * dy) / length;
  const t = Math.max(0, Math.min(1, share));
  return Math.hypot(at[0] - from[0] - t * dx, at[1] - from[1] - t * dy);
}
