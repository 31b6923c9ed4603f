import { ReactFlowProvider, useReactFlow } from '@xyflow/react';
import {
  useCallback,
  useEffect,
  useMemo,
  useReducer,
  useRef,
  useState,
  type ClipboardEvent,
  type KeyboardEvent,
} from 'react';
import { CanvasContext, type Canvas } from './context';
import * as ops from './graph';
import { EMPTY, parse, serialise, stepOf, type Graph, type Kind, type Place, type Port } from './graph';
import { begin, commit, redo, undo, type History } from './history';
import { Flow } from './Flow';
import { Icon, Tool } from './Icon';
import { Outline, StepActions, type Actions } from './Outline';
import { Palette } from './Palette';
import { Panel } from './Panel';
import { Picker } from './Picker';
import { readGraph, readNumbers, translator, type Config, type Problem, type Reading } from './page';

type View = 'canvas' | 'outline' | 'text';
type Change =
  | { do: 'commit'; graph: Graph; name?: string }
  | { do: 'undo' }
  | { do: 'redo' }
  | { do: 'reset'; graph: Graph };

const PAUSE = 250;
const NUMBERS_EVERY = 15_000;
const NARROW = 560;
const NO_READING: Reading = { nodes: {}, problems: [] };
const NO_PROBLEMS: readonly Problem[] = [];

function change(history: History, what: Change): History {
  switch (what.do) {
    case 'commit':
      return commit(history, what.graph, what.name);
    case 'undo':
      return undo(history);
    case 'redo':
      return redo(history);
    case 'reset':
      return begin(what.graph);
  }
}

interface AppProps {
  config: Config;
  /** The textarea of the page's form; none on the page to read. */
  source: HTMLTextAreaElement | null;
  onView: (isText: boolean) => void;
  width: number;
}

function firstGraph(config: Config, source: HTMLTextAreaElement | null): Graph | null {
  return parse(source ? source.value : JSON.stringify(config.graph ?? {}));
}

export function App(props: AppProps) {
  return (
    <ReactFlowProvider>
      <Journey {...props} />
    </ReactFlowProvider>
  );
}

function Journey({ config, source, onView, width }: AppProps) {
  const first = useMemo(() => firstGraph(config, source), [config, source]);
  const [history, dispatch] = useReducer(change, first ?? EMPTY, begin);
  const graph = history.present;
  const [view, setView] = useState<View>(() =>
    first === null ? 'text' : width > 0 && width < NARROW ? 'outline' : 'canvas',
  );
  const [isDrawable, setDrawable] = useState(first !== null);
  const [selected, setSelected] = useState<readonly string[]>([]);
  const [panel, setPanel] = useState<{ isFocused: boolean } | null>(null);
  const [picking, setPicking] = useState<{ place: Place | undefined } | null>(null);
  const [status, setStatus] = useState('');
  const [isOffline, setOffline] = useState(false);
  const [reading, setReading] = useState<Reading>(config.reading ?? NO_READING);
  const [readGraphOf, setReadGraphOf] = useState<Graph | null>(config.reading ? graph : null);
  const [known, setKnown] = useState<Readonly<Record<string, readonly Port[]>>>({});
  const [numbers, setNumbers] = useState(config.numbers ?? null);
  const [goTo, setGoTo] = useState<{ id: string; n: number } | null>(null);
  const flow = useReactFlow();
  const root = useRef<HTMLDivElement>(null);
  const written = useRef(graph);
  const readOnly = config.readOnly ?? (source ? source.disabled || source.readOnly : true);
  const t = useMemo(() => translator(config.words), [config]);
  const isRtl = useMemo(() => document.documentElement.dir === 'rtl', []);
  const site = useCallback((): string => {
    const field = source?.form?.elements.namedItem('site');
    const value = field && 'value' in field ? field.value : '';
    return value || String(config.site ?? '');
  }, [config, source]);

  const world = useMemo<ops.World>(() => {
    const kinds = new Map(config.kinds.map((one) => [one.kind, one]));
    const kindOf = (kind: string) => kinds.get(kind);
    const portsOf = (step: ops.Step): readonly Port[] => {
      const told = known[step.id] ?? reading.nodes[step.id]?.ports;
      if (told) return told;
      const kind = kinds.get(step.kind);
      if (kind) return kind.ports;
      const drawn = graph.edges.filter((one) => one.source === step.id);
      return drawn.map((one): Port => [one.port, one.port]);
    };
    return { kindOf, portsOf };
  }, [config, known, reading, graph]);

  const put = useCallback((next: Graph, name = '') => dispatch({ do: 'commit', graph: next, name }), []);

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

  useEffect(() => onView(view === 'text'), [view, onView]);

  const problems = useMemo(() => {
    const found = new Map<string, Problem[]>();
    for (const one of reading.problems) found.set(one.node, [...(found.get(one.node) ?? []), one]);
    return found;
  }, [reading]);

  const canvas = useMemo<Canvas>(() => {
    const sentenceOf = (step: ops.Step) => reading.nodes[step.id]?.sentence ?? '';
    const nameOf = (id: string) => {
      const step = stepOf(graph, id);
      if (!step) return id;
      return sentenceOf(step) || `${world.kindOf(step.kind)?.label ?? step.kind} (${id})`;
    };
    return {
      t,
      world,
      graph,
      readOnly,
      isRtl,
      sentenceOf,
      nameOf,
      problemsOf: (id) => problems.get(id) ?? NO_PROBLEMS,
      numbersOf: (id) => numbers?.[id],
      hasNumbers: numbers !== null,
      portLabel: (step, port) => world.portsOf(step).find(([name]) => name === port)?.[1] ?? port,
      pick: (place) => setPicking({ place }),
      open: (id, isFocused) => {
        setSelected([id]);
        setPanel({ isFocused });
      },
    };
  }, [t, world, graph, readOnly, isRtl, reading, problems, numbers]);

  const labelOfKind = (kind: string) => world.kindOf(kind)?.label ?? kind;

  const refit = useCallback(() => {
    requestAnimationFrame(() => void flow.fitView({ maxZoom: 1, padding: 0.15, duration: 150 }));
  }, [flow]);

  const added = (next: Graph, step: ops.Step, kind: Kind) => {
    put(next);
    setStatus(t('added', { step: kind.label }));
    canvas.open(step.id, true);
    setGoTo((before) => ({ id: step.id, n: (before?.n ?? 0) + 1 }));
  };

  /** Add a step at a place; without one, behind the selected step, or by itself. */
  const add = (kind: Kind, place?: Place, at?: ops.Position) => {
    const behind = selected.length === 1 ? stepOf(graph, selected[0]!) : undefined;
    const port = behind && kind.role === 'step' && !at ? world.portsOf(behind)[0] : undefined;
    const where = place ?? (behind && port ? { source: behind.id, port: port[0] } : undefined);
    const spot = at && (ops.isPlaced(graph) || !where) ? at : undefined;
    let base = graph;
    if (spot && !ops.isPlaced(graph)) {
      const seen = flow.getNodes().map((one): [string, ops.Position] => [
        one.id,
        isRtl ? [-one.position.x - (one.width ?? 0), one.position.y] : [one.position.x, one.position.y],
      ]);
      base = ops.place(graph, new Map(seen));
    }
    const [next, step] = where
      ? ops.insertAt(base, where, kind, world, spot)
      : ops.addFree(base, kind, spot);
    added(next, step, kind);
  };

  const drop = (ids: readonly string[]) => {
    if (ids.length === 0) return;
    const names = ids.map((id) => labelOfKind(stepOf(graph, id)?.kind ?? id)).join(', ');
    put(ops.remove(graph, ids, world));
    setSelected([]);
    setPanel(null);
    setStatus(t('deleted', { step: names }));
    root.current?.querySelector<HTMLElement>('.triggers-canvas__bar button')?.focus();
  };

  const actions: Actions = {
    remove: drop,
    duplicate: (id) => {
      const [next, copy] = ops.duplicate(graph, id, world);
      put(next);
      if (copy !== undefined) canvas.open(copy, false);
      setStatus(t('added', { step: canvas.nameOf(id) }));
    },
    moveUp: (id) => moved(ops.moveUp(graph, id, world), id),
    moveDown: (id) => moved(ops.moveDown(graph, id, world), id),
    moveTo: (id, place) => moved(ops.moveTo(graph, id, place, world), id),
    lead: (place, target) => {
      const next = target
        ? ops.connect(graph, { ...place, target }, world.kindOf)
        : ops.disconnect(graph, place);
      put(next);
      const step = stepOf(graph, place.source);
      const port = step ? canvas.portLabel(step, place.port) : place.port;
      setStatus(t('connected', { port, step: target ? canvas.nameOf(target) : t('nowhere') }));
    },
  };

  const moved = (next: Graph, id: string) => {
    put(next);
    setStatus(t('moved', { step: canvas.nameOf(id) }));
  };

  const worldRef = useRef(world);
  useEffect(() => {
    worldRef.current = world;
  }, [world]);

  const configure = useCallback(
    (id: string, settings: ops.Settings, ports: readonly Port[] | null) => {
      const step = stepOf(written.current, id);
      if (!step || JSON.stringify(step.settings) === JSON.stringify(settings)) return;
      const before = worldRef.current.portsOf(step);
      put(ops.configure(written.current, id, settings, before, ports), `settings:${id}`);
      if (ports) setKnown((all) => ({ ...all, [id]: ports }));
    },
    [put],
  );
  const goBack = (what: 'undo' | 'redo') => {
    dispatch({ do: what });
    setStatus(t(what === 'undo' ? 'undone' : 'redone'));
  };

  const isField = (target: EventTarget) =>
    target instanceof Element && target.matches('input, textarea, select, [contenteditable]');

  const typed = (event: KeyboardEvent) => {
    const { key } = event;
    if (isField(event.target)) {
      // Enter in one of our fields must not send the page's form.
      if (key === 'Enter' && (event.target as Element).matches('input, select')) {
        event.preventDefault();
      }
      return;
    }
    if (readOnly) return;
    const isCommand = event.ctrlKey || event.metaKey;
    if ((key === 'Delete' || key === 'Backspace') && selected.length > 0 && view === 'canvas') {
      event.preventDefault();
      drop(selected);
    } else if (isCommand && key.toLowerCase() === 'z') {
      event.preventDefault();
      goBack(event.shiftKey ? 'redo' : 'undo');
    } else if (isCommand && key.toLowerCase() === 'y') {
      event.preventDefault();
      goBack('redo');
    } else if (isCommand && key.toLowerCase() === 'd' && selected[0] !== undefined) {
      event.preventDefault();
      actions.duplicate(selected[0]);
    } else if (key === 'Escape' && selected.length > 0) {
      close();
    }
  };

  const close = () => {
    const id = selected[0];
    setPanel(null);
    if (view === 'canvas') setSelected([]);
    requestAnimationFrame(() => {
      const quoted = CSS.escape(id ?? '');
      root.current
        ?.querySelector<HTMLElement>(`.react-flow__node[data-id="${quoted}"], [data-step="${quoted}"]`)
        ?.focus();
    });
  };

  const copied = (event: ClipboardEvent) => {
    if (isField(event.target) || selected.length === 0 || window.getSelection()?.toString()) return;
    event.preventDefault();
    event.clipboardData.setData('text/plain', serialise(ops.extract(graph, selected)));
    setStatus(t('copied'));
    if (event.type === 'cut' && !readOnly) drop(selected);
  };

  const pasted = (event: ClipboardEvent) => {
    if (isField(event.target) || readOnly) return;
    const read = parse(event.clipboardData.getData('text/plain'));
    if (!read || read.nodes.length === 0) return;
    event.preventDefault();
    const [next, ids] = ops.paste(graph, read, ops.isPlaced(graph));
    put(next);
    setSelected(ids);
    setPanel(null);
    setStatus(t('added', { step: ids.join(', ') }));
  };

  const show = (next: View) => {
    if (next === view) return;
    if (view === 'text' && source) {
      const read = parse(source.value);
      setDrawable(read !== null);
      if (!read) return;
    }
    if (next === 'text') source?.dispatchEvent(new Event('input', { bubbles: true }));
    setView(next);
  };

  const open = selected.length === 1 ? stepOf(graph, selected[0]!) : undefined;
  const errors = reading.problems.filter((one) => one.severity === 'error');
  const views: [View, string][] = [
    ['canvas', t('canvas')],
    ['outline', t('outline')],
  ];
  if (source) views.push(['text', t('text')]);

  return (
    <CanvasContext value={canvas}>
      <div
        ref={root}
        className={`triggers-app triggers-app--${view} ${readOnly ? 'triggers-app--still' : ''}`}
        onKeyDown={typed}
        onCopy={copied}
        onCut={copied}
        onPaste={pasted}
      >
        <div className="triggers-canvas__bar">
          <div className="triggers-canvas__views" role="group" aria-label={t('view')}>
            {views.map(([name, label]) => (
              <button
                key={name}
                type="button"
                className="triggers-canvas__view"
                aria-pressed={view === name}
                onClick={() => show(name)}
              >
                {label}
              </button>
            ))}
          </div>
          {view !== 'text' && (
            <>
              {!readOnly && (
                <div className="triggers-canvas__tools">
                  <Tool icon="triggers-undo" label={t('undo')} disabled={history.past.length === 0} onClick={() => goBack('undo')} />
                  <Tool icon="triggers-redo" label={t('redo')} disabled={history.future.length === 0} onClick={() => goBack('redo')} />
                </div>
              )}
              {view === 'canvas' && (
                <div className="triggers-canvas__tools">
                  {!readOnly && (
                    <Tool
                      icon="triggers-tidy"
                      label={t('tidy')}
                      disabled={!ops.isPlaced(graph)}
                      onClick={() => {
                        put(ops.unplace(graph));
                        refit();
                      }}
                    />
                  )}
                  <Tool icon="triggers-fit" label={t('fit')} onClick={refit} />
                  <Tool icon="minus" label={t('zoom_out')} onClick={() => void flow.zoomOut()} />
                  <Tool icon="plus" label={t('zoom_in')} onClick={() => void flow.zoomIn()} />
                </div>
              )}
              <Search
                steps={graph.nodes.map((one) => ({ id: one.id, name: canvas.nameOf(one.id) }))}
                label={t('search')}
                onFound={(id) => {
                  setSelected([id]);
                  setGoTo((before) => ({ id, n: (before?.n ?? 0) + 1 }));
                  root.current?.querySelector(`[data-step="${CSS.escape(id)}"]`)?.scrollIntoView({ block: 'center' });
                }}
              />
              {!readOnly && (
                <button
                  type="button"
                  className="button button-small button-secondary triggers-canvas__add"
                  onClick={() => setPicking({ place: undefined })}
                >
                  {t('add')}
                </button>
              )}
            </>
          )}
        </div>
        {!isDrawable && <p className="triggers-step__error">{t('not_json')}</p>}
        {view !== 'text' && (
          <div className="triggers-canvas__work">
            {view === 'canvas' && !readOnly && width >= 900 && (
              <div className="triggers-canvas__palette" role="region" aria-label={t('palette')}>
                <Palette kinds={config.kinds} t={t} onPick={(kind) => add(kind)} isDraggable />
                <p className="triggers-palette__hint">{t('drag_hint')}</p>
              </div>
            )}
            <div className="triggers-canvas__stage">
              {view === 'canvas' ? (
                <Flow
                  selected={selected}
                  onSelect={(ids) => {
                    setSelected(ids);
                    if (ids.length !== 1) setPanel(null);
                  }}
                  onPlace={(positions) => put(ops.place(graph, positions))}
                  onConnect={(from, port, target) => actions.lead({ source: from, port }, target)}
                  onDropKind={(name, at, place) => {
                    const kind = world.kindOf(name);
                    if (kind) add(kind, place, at);
                  }}
                  goTo={goTo}
                />
              ) : (
                <Outline selected={selected} actions={actions} />
              )}
            </div>
            {open && panel && !readOnly && (
              <Panel
                key={open.id}
                step={open}
                graph={graph}
                site={site()}
                url={config.stepUrl}
                problems={canvas.problemsOf(open.id)}
                isFocused={panel.isFocused}
                onSettings={configure}
                onClose={close}
              >
                {view === 'canvas' && <StepActions step={open} actions={actions} />}
              </Panel>
            )}
          </div>
        )}
        {view !== 'text' && !readOnly && (
          <Problems isFresh={readGraphOf === graph} errors={errors} all={reading.problems} canvas={canvas} onOpen={(id) => {
            canvas.open(id, true);
            setGoTo((before) => ({ id, n: (before?.n ?? 0) + 1 }));
          }} />
        )}
        {isOffline && <p className="triggers-step__error">{t('offline')}</p>}
        <p className="w-sr-only" role="status">
          {status}
        </p>
        {picking && (
          <Picker
            kinds={picking.place ? config.kinds.filter((one) => one.role === 'step') : config.kinds}
            title={t('add')}
            t={t}
            onClose={() => setPicking(null)}
            onPick={(kind) => {
              setPicking(null);
              add(kind, picking.place);
            }}
          />
        )}
      </div>
    </CanvasContext>
  );
}

/** Put text into the page's textarea, and let the page know. */
function write(source: HTMLTextAreaElement, text: string): void {
  source.value = text;
  source.dispatchEvent(new Event('change', { bubbles: true }));
}

interface SearchProps {
  steps: readonly { id: string; name: string }[];
  label: string;
  onFound: (id: string) => void;
}

/** Finds steps by what they say; Enter goes to the next one. */
function Search({ steps, label, onFound }: SearchProps) {
  const [text, setText] = useState('');
  const at = useRef(-1);
  const find = (words: string) => {
    const wanted = words.trim().toLocaleLowerCase();
    const found = steps.filter((one) => `${one.name} ${one.id}`.toLocaleLowerCase().includes(wanted));
    if (!wanted || found.length === 0) return;
    at.current = (at.current + 1) % found.length;
    onFound(found[at.current]!.id);
  };
  return (
    <input
      type="search"
      className="triggers-canvas__search"
      aria-label={label}
      placeholder={label}
      value={text}
      onChange={(event) => {
        setText(event.target.value);
        at.current = -1;
        find(event.target.value);
      }}
      onKeyDown={(event) => {
        if (event.key === 'Enter') find(text);
      }}
    />
  );
}

interface ProblemsProps {
  /** Whether the server has seen the graph as it is now. */
  isFresh: boolean;
  errors: readonly Problem[];
  all: readonly Problem[];
  canvas: Canvas;
  onOpen: (id: string) => void;
}

/** Everything that is wrong, each with the way to its step. */
function Problems({ isFresh, errors, all, canvas, onOpen }: ProblemsProps) {
  const { t } = canvas;
  if (!isFresh && all.length === 0) return <p className="triggers-problems__wait">{t('checking')}</p>;
  if (all.length === 0) return <p className="triggers-problems__fine">{t('problems_none')}</p>;
  return (
    <details className="triggers-problems" open={errors.length > 0}>
      <summary className={errors.length > 0 ? 'triggers-step__error' : ''}>
        {t('problems', { n: all.length })}
      </summary>
      <ul className="triggers-problems__list">
        {all.map((one) => (
          <li key={`${one.node} ${one.field} ${one.message}`} className={`triggers-step__${one.severity}`}>
            <Icon name="warning" />
            {one.node && (
              <button type="button" className="triggers-problems__step" onClick={() => onOpen(one.node)}>
                {canvas.nameOf(one.node)}
              </button>
            )}{' '}
            {one.field && <code>{one.field}</code>} {one.message}
          </li>
        ))}
      </ul>
    </details>
  );
}
