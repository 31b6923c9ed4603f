import type { Graph, Kind, Port, World } from '../src/graph';

const NEXT: readonly Port[] = [['next', 'Next']];

function kind(name: string, role: Kind['role'], ports: readonly Port[]): Kind {
  return { kind: name, label: name, description: '', icon: 'cog', role, settings: {}, ports };
}

export const KINDS = [
  kind('entry', 'entry', NEXT),
  kind('send', 'step', NEXT),
  kind('wait', 'step', NEXT),
  kind('branch', 'step', [
    ['yes', 'Yes'],
    ['no', 'No'],
  ]),
  kind('end', 'step', []),
  kind('goal', 'watch', []),
];

export function kindNamed(name: string): Kind {
  return KINDS.find((one) => one.kind === name)!;
}

export const world: World = {
  kindOf: (name) => KINDS.find((one) => one.kind === name),
  portsOf: (step) => KINDS.find((one) => one.kind === step.kind)?.ports ?? [],
};

/** "entry>send, branch.yes>end": a graph in a line of text; a node's kind is its id without digits. */
export function graphOf(text: string): Graph {
  const ids: string[] = [];
  const edges = text
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean)
    .flatMap((way) => {
      const [from = '', target] = way.split('>');
      const [source = '', port = 'next'] = from.split('.');
      for (const id of [source, target]) if (id && !ids.includes(id)) ids.push(id);
      return target ? [{ source, port, target }] : [];
    });
  return {
    nodes: ids.map((id) => ({ id, kind: id.replace(/[-\d]/g, ''), settings: {} })),
    edges,
  };
}

export function ways(graph: Graph): string[] {
  return graph.edges
    .map((one) => `${one.source}.${one.port}>${one.target}`.replace('.next', ''))
    .sort();
}
