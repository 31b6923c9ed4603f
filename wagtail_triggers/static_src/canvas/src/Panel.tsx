import { useCallback, useEffect, useRef, useState } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { addDoors } from './doors';
import { ConditionEditor } from './Conditions';
import type { Vocabulary } from './condition-tree';
import { useCanvas } from './context';
import { layoutJson, type Graph, type Json, type Port, type Settings, type Step } from './graph';
import { Tool } from './Icon';
import { askForm, type Problem, type StepAnswer, type Translate } from './page';

/** Fields of the panel belong to this form of their own, so that the page's form does not send
 * them: what is saved is the graph. */
const FORM_ID = 'triggers-step-form';
const PAUSE = 250;

function ownForm(): HTMLFormElement {
  let form = document.getElementById(FORM_ID) as HTMLFormElement | null;
  if (!form) {
    form = document.createElement('form');
    form.id = FORM_ID;
    form.hidden = true;
    form.addEventListener('submit', (event) => event.preventDefault());
    document.body.append(form);
  }
  return form;
}

interface PanelProps {
  step: Step;
  graph: Graph;
  site: string;
  url: string;
  problems: readonly Problem[];
  isFocused: boolean;
  onSettings: (id: string, settings: Settings, ports: readonly Port[] | null) => void;
  onNote: (id: string, note: string) => void;
  onClose: () => void;
  children?: React.ReactNode;
}

/** The settings of one step: a form that the server draws from the kind's own model. */
export function Panel(props: PanelProps) {
  const { step, graph, site, url, isFocused, onSettings, onNote, onClose } = props;
  const { t, world, sentenceOf } = useCanvas();
  const holder = useRef<HTMLDivElement>(null);
  const state = useRef({ digest: '', settings: '', roots: [] as Root[], asked: 0 });
  const latest = useRef({ graph, site });
  useEffect(() => {
    latest.current = { graph, site };
  }, [graph, site]);
  const [fault, setFault] = useState('');
  const { id } = step;
  const kind = world.kindOf(step.kind);

  const ask = useCallback(
    async (fields: [string, string][] | null, action: string) => {
      const now = ++state.current.asked;
      try {
        const { graph: drawn, site: chosen } = latest.current;
        const abort = new AbortController();
        const answer = await askForm(url, drawn, id, chosen, fields, action, abort.signal);
        if (now !== state.current.asked || !holder.current) return;
        setFault('');
        state.current.settings = JSON.stringify(answer.settings);
        if (answer.digest !== state.current.digest) {
          state.current.digest = answer.digest;
          draw(holder.current, answer, state.current.roots, t);
        }
        showErrors(holder.current, answer, t);
        if (fields) onSettings(id, answer.settings, answer.ports);
      } catch (error) {
        if (now !== state.current.asked) return;
        const isUnknown = error instanceof Error && error.message === '404';
        setFault(t(isUnknown ? 'kind_unknown' : 'offline'));
      }
    },
    [url, id, t, onSettings],
  );

  useEffect(() => {
    const own = state.current;
    return () => {
      own.asked += 1;
      const { roots } = own;
      own.roots = [];
      queueMicrotask(() => roots.forEach((root) => root.unmount()));
    };
  }, []);

  // Drawn at first, and again when the settings changed by other means: undo, JSON.
  const settings = JSON.stringify(step.settings);
  useEffect(() => {
    if (settings === state.current.settings && state.current.digest) {
      // Chosen by mouse a moment ago, and entered by the keyboard now.
      if (isFocused) focusFirst(holder.current);
      return;
    }
    state.current.digest = '';
    void ask(null, '').then(() => {
      // The editor of conditions is drawn a moment later.
      if (isFocused) setTimeout(() => focusFirst(holder.current), 30);
    });
  }, [settings, ask, isFocused]);

  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    let timer = 0;
    const send = (pause: number, action = '') => {
      clearTimeout(timer);
      state.current.asked += 1; // an answer that is under way is old now
      timer = window.setTimeout(() => {
        const data = new FormData(ownForm());
        const fields = [...data].filter((pair): pair is [string, string] => typeof pair[1] === 'string');
        void ask(fields, action);
      }, pause);
    };
    const typed = () => send(PAUSE);
    const chosen = (event: Event) => {
      const target = event.target as HTMLElement;
      if (target.matches('select, [type=checkbox], [type=radio]')) send(0);
    };
    const clicked = (event: Event) => {
      const action = (event.target as Element).closest<HTMLElement>('[data-do]')?.dataset.do;
      if (action) send(0, action);
    };
    element.addEventListener('input', typed);
    element.addEventListener('change', chosen);
    element.addEventListener('click', clicked);
    return () => {
      if (timer) clearTimeout(timer);
      element.removeEventListener('input', typed);
      element.removeEventListener('change', chosen);
      element.removeEventListener('click', clicked);
    };
  }, [ask]);

  return (
    <section
      className="triggers-panel"
      aria-label={t('settings_of', { step: kind?.label ?? step.kind })}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.stopPropagation();
        onClose();
      }}
    >
      <div className="triggers-panel__head">
        <h3 className="triggers-panel__title">{kind?.label ?? step.kind}</h3>
        <code className="triggers-panel__id">{step.id}</code>
        <Tool icon="cross" label={t('close')} onClick={onClose} />
      </div>
      <p className="triggers-panel__sentence">{sentenceOf(step)}</p>
      {fault && <p className="triggers-step__error">{fault}</p>}
      <div ref={holder} className="triggers-panel__form" />
      <PortProblems problems={props.problems} t={t} />
      <label className="triggers-panel__note">
        {t('note_label')}
        <textarea
          rows={2}
          maxLength={2000}
          value={step.note ?? ''}
          onChange={(event) => onNote(id, event.target.value)}
        />
        <span className="triggers-step__help">{t('note_help')}</span>
      </label>
      <AsJson
        key={settings}
        value={step.settings}
        t={t}
        onApply={(next) => onSettings(id, next, null)}
      />
      {props.children}
    </section>
  );
}

function PortProblems({ problems, t }: { problems: readonly Problem[]; t: Translate }) {
  const shown = problems.filter((one) => one.field.startsWith('ports.'));
  if (shown.length === 0) return null;
  return (
    <ul className="triggers-step__errors">
      {shown.map((one) => (
        <li key={one.field + one.message} className={`triggers-step__${one.severity}`}>
          <b>{t(one.severity === 'error' ? 'error' : 'note')}</b> {one.message}
        </li>
      ))}
    </ul>
  );
}

interface AsJsonProps {
  value: Settings;
  t: Translate;
  onApply: (value: Settings) => void;
}

function AsJson({ value, t, onApply }: AsJsonProps) {
  const [text, setText] = useState(() => layoutJson(value));
  const [isWrong, setWrong] = useState(false);
  const apply = () => {
    try {
      const read = JSON.parse(text) as Json;
      const isSettings = typeof read === 'object' && read !== null && !Array.isArray(read);
      setWrong(!isSettings);
      if (isSettings) onApply(read);
    } catch {
      setWrong(true);
    }
  };
  return (
    <details className="triggers-panel__json">
      <summary>{t('as_json')}</summary>
      <textarea
        className="triggers-code"
        dir="ltr"
        rows={6}
        spellCheck={false}
        aria-label={t('as_json')}
        aria-invalid={isWrong}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      {isWrong && <p className="triggers-step__error">{t('json_wrong')}</p>}
      <button type="button" className="button button-small button-secondary" onClick={apply}>
        {t('json_apply')}
      </button>
    </details>
  );
}

/** Put the server's form in the place of what stands there, without losing the focus. */
function draw(holder: HTMLElement, answer: StepAnswer, roots: Root[], t: Translate): void {
  ownForm();
  const active = document.activeElement;
  const held = active instanceof HTMLElement && holder.contains(active) ? active : null;
  const name = held?.getAttribute('name') ?? '';
  const action = held?.dataset.do ?? '';
  const old = roots.splice(0);
  queueMicrotask(() => old.forEach((root) => root.unmount()));
  const parsed = new DOMParser().parseFromString(answer.html, 'text/html');
  parsed.querySelectorAll('input, select, textarea, button').forEach((field) => {
    field.setAttribute('form', FORM_ID);
  });
  holder.replaceChildren(...parsed.body.childNodes);
  for (const area of holder.querySelectorAll<HTMLTextAreaElement>('[data-triggers-condition]')) {
    roots.push(enhance(area, t));
  }
  for (const select of holder.querySelectorAll<HTMLSelectElement>('[data-triggers-chooser]')) {
    addDoors(select, t);
  }
  if (!held) return;
  const again = name
    ? holder.querySelector<HTMLElement>(`[name="${CSS.escape(name)}"]`)
    : action
      ? holder.querySelector<HTMLElement>(`[data-do="${CSS.escape(action)}"]`)
      : null;
  (again ?? holder.querySelector<HTMLElement>('select, input:not([type=hidden]), button'))?.focus();
}

function focusFirst(holder: HTMLElement | null): void {
  if (document.activeElement?.closest('.triggers-panel')) return;
  const fields = 'select, input:not([type=hidden]), textarea:not([hidden]), button';
  holder?.querySelector<HTMLElement>(fields)?.focus();
}

/** Lay the editor of conditions over the textarea that holds the JSON. */
function enhance(area: HTMLTextAreaElement, t: Translate): Root {
  const words = JSON.parse(area.dataset.triggersCondition ?? '{}') as Vocabulary;
  const place = document.createElement('div');
  let initial: Json;
  try {
    initial = JSON.parse(area.value || 'null') as Json;
  } catch {
    return createRoot(place); // it is no JSON: the text stays, to be mended
  }
  area.hidden = true;
  area.after(place);
  const root = createRoot(place);
  const change = (value: Json) => {
    area.value = value === null ? '' : JSON.stringify(value);
    area.dispatchEvent(new Event('input', { bubbles: true }));
  };
  root.render(<ConditionEditor initial={initial} onChange={change} words={words} t={t} />);
  return root;
}

function showErrors(holder: HTMLElement, answer: StepAnswer, t: Translate): void {
  for (const list of holder.querySelectorAll<HTMLElement>('[data-errors]')) {
    const found = answer.errors[list.dataset.errors ?? ''] ?? [];
    const items = found.map(([severity, message]) => {
      const item = document.createElement('li');
      item.className = `triggers-step__${severity}`;
      const head = document.createElement('b');
      head.textContent = t(severity === 'error' ? 'error' : 'note');
      item.append(head, ` ${message}`);
      return item;
    });
    list.replaceChildren(...items);
  }
}
