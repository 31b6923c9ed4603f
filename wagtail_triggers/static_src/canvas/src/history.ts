/* What can be undone. */

import type { Graph } from './graph';

const LONGEST = 200;

export interface History {
  readonly past: readonly Graph[];
  readonly present: Graph;
  readonly future: readonly Graph[];
  /** Changes under one name follow each other as one: typing a word is one thing to undo. */
  readonly name: string;
}

export function begin(graph: Graph): History {
  return { past: [], present: graph, future: [], name: '' };
}

export function commit(history: History, graph: Graph, name = ''): History {
  if (graph === history.present) return history;
  if (name && name === history.name) return { ...history, present: graph, future: [] };
  const past = [...history.past, history.present].slice(-LONGEST);
  return { past, present: graph, future: [], name };
}

export function undo(history: History): History {
  const before = history.past.at(-1);
  if (!before) return history;
  return {
    past: history.past.slice(0, -1),
    present: before,
    future: [history.present, ...history.future],
    name: '',
  };
}

export function redo(history: History): History {
  const [next, ...future] = history.future;
  if (!next) return history;
  return { past: [...history.past, history.present], present: next, future, name: '' };
}
