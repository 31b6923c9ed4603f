import { ReactFlowProvider, useReactFlow } from '@xyflow/react';
import { useCallback, useEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { Bar, type View } from './Bar';
import { CanvasContext, type Canvas } from './context';
import { Flow } from './Flow';
import * as ops from './graph';
import { stepOf, type Place } from './graph';
import { Outline, StepActions } from './Outline';
import { translator, type Config } from './page';
import { Palette } from './Palette';
import { Panel } from './Panel';
import { Picker } from './Picker';
import { Problems } from './Problems';
import { useDrawn } from './useDrawn';
import { isField, useEditing } from './useEditing';
import { useReading } from './useReading';

/** Narrower than this the outline comes first. */
const NARROW = 560;
/** Narrower than this the palette gives way to the picker. */
const ROOM_FOR_PALETTE = 900;

interface AppProps {
  config: Config;
  /** The textarea of the page's form; none on the page to read. */
  source: HTMLTextAreaElement | null;
  onView: (isText: boolean) => void;
  width: number;
}

export function App(props: AppProps) {
  return (
    <ReactFlowProvider>
      <Journey {...props} />
    </ReactFlowProvider>
  );
}

function Journey({ config, source, onView, width }: AppProps) {
  const drawn = useDrawn(config, source);
  const { graph, put } = drawn;
  const readOnly = config.readOnly ?? (source ? source.disabled || source.readOnly : true);
  const [view, setView] = useState<View>(() =>
    !drawn.isDrawable ? 'text' : width > 0 && width < (config.narrow ?? NARROW) ? 'outline' : 'canvas',
  );
  const [selected, setSelected] = useState<readonly string[]>([]);
  const [panel, setPanel] = useState<{ isFocused: boolean } | null>(null);
  const [picking, setPicking] = useState<{ place: Place | undefined } | null>(null);
  const [status, setStatus] = useState('');
  const [goTo, setGoTo] = useState<{ id: string; n: number } | null>(null);
  const flow = useReactFlow();
  const root = useRef<HTMLDivElement>(null);
  const t = useMemo(() => translator(config.words), [config]);
  const isRtl = useMemo(() => document.documentElement.dir === 'rtl', []);
  const site = useCallback((): string => {
    const field = source?.form?.elements.namedItem('site');
    const value = field && 'value' in field ? field.value : '';
    return value || String(config.site ?? '');
  }, [config, source]);
  const read = useReading(config, graph, readOnly, site);
  const { reading, world, numbers, problemsOf } = read;

  useEffect(() => onView(view === 'text'), [view, onView]);

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
      name: config.name ?? '',
      readOnly,
      isRtl,
      sentenceOf,
      nameOf,
      problemsOf,
      markOf: (id) => config.marks?.[id],
      numbersOf: (id) => numbers?.[id],
      hasNumbers: numbers !== null,
      portLabel: (step, port) => world.portsOf(step).find(([name]) => name === port)?.[1] ?? port,
      pick: (place) => setPicking({ place }),
      open: (id, isFocused) => {
        setSelected([id]);
        setPanel({ isFocused });
      },
    };
  }, [t, world, graph, readOnly, isRtl, reading, problemsOf, numbers, config]);

  const show = useCallback((id: string) => setGoTo((was) => ({ id, n: (was?.n ?? 0) + 1 })), []);
  const closePanel = useCallback(() => setPanel(null), []);
  const editing = useEditing({
    drawn,
    read,
    canvas,
    root,
    selected,
    select: setSelected,
    closePanel,
    show,
    say: setStatus,
  });
  const { actions, add, drop, goBack } = editing;

  const refit = useCallback(() => {
    requestAnimationFrame(() => void flow.fitView({ maxZoom: 1, padding: 0.15, duration: 150 }));
  }, [flow]);

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

  const change = (next: View) => {
    if (next === view || (view === 'text' && !drawn.reread())) return;
    if (next === 'text') source?.dispatchEvent(new Event('input', { bubbles: true }));
    setView(next);
  };

  const found = (id: string) => {
    setSelected([id]);
    show(id);
    const line = root.current?.querySelector(`[data-step="${CSS.escape(id)}"]`);
    line?.scrollIntoView({ block: 'center' });
  };

  const open = selected.length === 1 ? stepOf(graph, selected[0]!) : undefined;

  return (
    <CanvasContext value={canvas}>
      <div
        ref={root}
        className={`triggers-app triggers-app--${view} ${readOnly ? 'triggers-app--still' : ''}`}
        onKeyDown={typed}
        onCopy={editing.copied}
        onCut={editing.copied}
        onPaste={editing.pasted}
      >
        <Bar
          view={view}
          views={source ? ['canvas', 'outline', 'text'] : ['canvas', 'outline']}
          canUndo={drawn.canUndo}
          canRedo={drawn.canRedo}
          onView={change}
          onBack={goBack}
          onTidy={() => {
            put(ops.unplace(graph));
            refit();
          }}
          onFit={refit}
          onZoom={(by) => void (by === 'in' ? flow.zoomIn() : flow.zoomOut())}
          onFound={found}
        />
        {source && readOnly && <p className="triggers-canvas__locked">{t('locked')}</p>}
        {!drawn.isDrawable && <p className="triggers-step__error">{t('not_json')}</p>}
        {view !== 'text' && (
          <div className="triggers-canvas__work">
            {view === 'canvas' && !readOnly && width >= ROOM_FOR_PALETTE && (
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
                problems={problemsOf(open.id)}
                isFocused={panel.isFocused}
                onSettings={editing.configure}
                onNote={editing.annotate}
                onClose={close}
              >
                {view === 'canvas' && <StepActions step={open} actions={actions} />}
              </Panel>
            )}
          </div>
        )}
        {view !== 'text' && !readOnly && (
          <Problems
            isFresh={read.isFresh}
            all={reading.problems}
            onOpen={(id) => {
              canvas.open(id, true);
              show(id);
            }}
          />
        )}
        {read.isOffline && <p className="triggers-step__error">{t('offline')}</p>}
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
