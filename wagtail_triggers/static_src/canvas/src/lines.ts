/* The graph as a nested list: the same order as the server's outline. */

import type { Graph, Place, Step, World } from './graph';
import { stepOf, targetOf } from './graph';

export interface Line {
  readonly step: Step;
  readonly number: number;
  /** The way that leads here, and its label where there are several. */
  readonly place?: Place;
  readonly port: string;
  /** It is listed above: nothing follows here. */
  readonly again: boolean;
  readonly below: Line[];
}

/** List what watches, then each entry with what follows, then what nothing leads to. */
export function outlineOf(graph: Graph, world: World): Line[] {
  const listed = new Set<string>();
  const roots: Line[] = [];
  let number = 0;

  // A journey can be as long as it likes, so the walk keeps a stack of its own.
  const walk = (start: Step): void => {
    const stack: { step: Step; place?: Place; port: string; into: Line[] }[] = [
      { step: start, port: '', into: roots },
    ];
    for (let next = stack.pop(); next; next = stack.pop()) {
      const { step, into } = next;
      const again = listed.has(step.id);
      number += 1;
      const below: Line[] = [];
      const line = { step, number, port: next.port, again, below };
      into.push(next.place ? { ...line, place: next.place } : line);
      if (again) continue;
      listed.add(step.id);
      const ports = world.portsOf(step);
      const forks = ports.length > 1;
      const following = ports.flatMap(([port, label]) => {
        const place = { source: step.id, port };
        const target = stepOf(graph, targetOf(graph, place) ?? '');
        if (!target) return [];
        return [{ step: target, place, port: forks ? label : '', into: forks ? below : into }];
      });
      stack.push(...following.reverse());
    }
  };

  const role = (step: Step) => world.kindOf(step.kind)?.role ?? 'step';
  graph.nodes.filter((one) => role(one) === 'watch').forEach(walk);
  graph.nodes.filter((one) => role(one) === 'entry').forEach(walk);
  graph.nodes.forEach((one) => {
    if (!listed.has(one.id)) walk(one);
  });
  return roots;
}
