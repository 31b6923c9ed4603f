/* What the server says of the graph: sentences, ways out, problems, and numbers. */

import { useCallback, useEffect, useMemo, useState } from 'react';
import type { Graph, Port, Step, World } from './graph';
import { readGraph, readNumbers, type Config, type Numbers, type Problem, type Reading } from './page';

const PAUSE = 250;
const NUMBERS_EVERY = 15_000;
const NO_READING: Reading = { nodes: {}, problems: [] };
const NO_PROBLEMS: readonly Problem[] = [];

export interface Read {
  readonly reading: Reading;
  readonly world: World;
  readonly numbers: Readonly<Record<string, Numbers>> | null;
  readonly isOffline: boolean;
  /** Whether the server has seen the graph as it is now. */
  readonly isFresh: boolean;
  readonly problemsOf: (id: string) => readonly Problem[];
  /** The ways out of a step, as its form has just told them. */
  readonly learn: (id: string, ports: readonly Port[]) => void;
}

export function useReading(
  config: Config,
  graph: Graph,
  readOnly: boolean,
  site: () => string,
): Read {
  const [reading, setReading] = useState<Reading>(config.reading ?? NO_READING);
  const [readGraphOf, setReadGraphOf] = useState<Graph | null>(config.reading ? graph : null);
  const [known, setKnown] = useState<Readonly<Record<string, readonly Port[]>>>({});
  const [numbers, setNumbers] = useState(config.numbers ?? null);
  const [isOffline, setOffline] = useState(false);

  useEffect(() => {
    if (config.reading && readOnly) return;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      readGraph(config.readingUrl, graph, site(), abort.signal)
        .then((answer) => {
          setReading(answer);
          setReadGraphOf(graph);
          setKnown({});
          setOffline(false);
        })
        .catch((error: unknown) => {
          if (!(error instanceof DOMException && error.name === 'AbortError')) setOffline(true);
        });
    }, PAUSE);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [graph, config, readOnly, site]);

  useEffect(() => {
    const url = config.numbersUrl;
    if (!url) return;
    const timer = setInterval(() => {
      if (document.hidden) return;
      readNumbers(url).then(setNumbers, () => setOffline(true));
    }, NUMBERS_EVERY);
    return () => clearInterval(timer);
  }, [config]);

  const world = useMemo<World>(() => {
    const kinds = new Map(config.kinds.map((one) => [one.kind, one]));
    const portsOf = (step: Step): readonly Port[] => {
      const told = known[step.id] ?? reading.nodes[step.id]?.ports;
      if (told) return told;
      const kind = kinds.get(step.kind);
      if (kind) return kind.ports;
      const drawn = graph.edges.filter((one) => one.source === step.id);
      return drawn.map((one): Port => [one.port, one.port]);
    };
    return { kindOf: (kind) => kinds.get(kind), portsOf };
  }, [config, known, reading, graph]);

  const problems = useMemo(() => {
    const found = new Map<string, Problem[]>();
    for (const one of reading.problems) found.set(one.node, [...(found.get(one.node) ?? []), one]);
    return found;
  }, [reading]);
  const problemsOf = useCallback((id: string) => problems.get(id) ?? NO_PROBLEMS, [problems]);
  const learn = useCallback(
    (id: string, ports: readonly Port[]) => setKnown((all) => ({ ...all, [id]: ports })),
    [],
  );

  return { reading, world, numbers, isOffline, isFresh: readGraphOf === graph, problemsOf, learn };
}
