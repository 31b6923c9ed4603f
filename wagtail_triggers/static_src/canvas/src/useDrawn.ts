/* The graph that is drawn, with its history, kept the same as the page's textarea. */

import { useCallback, useEffect, useMemo, useReducer, useRef, useState, type RefObject } from 'react';
import { EMPTY, parse, serialise, type Graph } from './graph';
import { begin, commit, redo, undo, type History } from './history';
import type { Config } from './page';

type Change =
  | { do: 'commit'; graph: Graph; name?: string }
  | { do: 'undo' }
  | { do: 'redo' };

function change(history: History, what: Change): History {
  switch (what.do) {
    case 'commit':
      return commit(history, what.graph, what.name);
    case 'undo':
      return undo(history);
    case 'redo':
      return redo(history);
  }
}

/** Put text into the page's textarea, and let the page know. */
function write(source: HTMLTextAreaElement, text: string): void {
  source.value = text;
  source.dispatchEvent(new Event('change', { bubbles: true }));
}

export interface Drawn {
  readonly graph: Graph;
  readonly isDrawable: boolean;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  /** The graph as it was written last: newer than what is rendered. */
  readonly written: RefObject<Graph>;
  /** Changes of one name in a row are one step of the history. */
  readonly put: (next: Graph, name?: string) => void;
  readonly goBack: (what: 'undo' | 'redo') => void;
  /** Look at the text again; whether it can be drawn. */
  readonly reread: () => boolean;
}

export function useDrawn(config: Config, source: HTMLTextAreaElement | null): Drawn {
  const first = useMemo(
    () => parse(source ? source.value : JSON.stringify(config.graph ?? {})),
    [config, source],
  );
  const [history, dispatch] = useReducer(change, first ?? EMPTY, begin);
  const [isDrawable, setDrawable] = useState(first !== null);
  const graph = history.present;
  const written = useRef(graph);
  const put = useCallback(
    (next: Graph, name = '') => dispatch({ do: 'commit', graph: next, name }),
    [],
  );
  const goBack = useCallback((what: 'undo' | 'redo') => dispatch({ do: what }), []);

  // The textarea is what is saved: Wagtail looks at the form's data by itself.
  useEffect(() => {
    if (!source || graph === written.current) return;
    written.current = graph;
    write(source, serialise(graph));
  }, [graph, source]);

  // What is typed into the text, or put there by the page, is drawn.
  useEffect(() => {
    if (!source) return;
    const typed = () => {
      const read = parse(source.value);
      setDrawable(read !== null);
      if (!read || serialise(read) === serialise(written.current)) return;
      written.current = read;
      put(read, 'text');
    };
    source.addEventListener('input', typed);
    return () => source.removeEventListener('input', typed);
  }, [source, put]);

  const reread = useCallback(() => {
    const can = !source || parse(source.value) !== null;
    setDrawable(can);
    return can;
  }, [source]);

  return {
    graph,
    isDrawable,
    canUndo: history.past.length > 0,
    canRedo: history.future.length > 0,
    written,
    put,
    goBack,
    reread,
  };
}
