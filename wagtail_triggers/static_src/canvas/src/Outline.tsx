import { useMemo } from 'react';
import { labelOf, useCanvas } from './context';
import { canEnter, canMove, stepOf, targetOf, type Place, type Step } from './graph';
import { Icon } from './Icon';
import { MarkTag, NoteLine } from './Marks';
import { NumbersRow } from './NumbersRow';
import { outlineOf, type Line } from './lines';

/** What the outline can do to a step; the canvas does the same by drag and keys. */
export interface Actions {
  readonly remove: (ids: string[]) => void;
  readonly duplicate: (id: string) => void;
  readonly moveUp: (id: string) => void;
  readonly moveDown: (id: string) => void;
  readonly moveTo: (id: string, place: Place) => void;
  readonly lead: (place: Place, target: string) => void;
}

interface OutlineProps {
  selected: readonly string[];
  actions: Actions;
}

/** The journey as a list to read and to change, without a mouse. */
export function Outline({ selected, actions }: OutlineProps) {
  const { graph, world, t, name } = useCanvas();
  const lines = useMemo(() => outlineOf(graph, world), [graph, world]);
  if (lines.length === 0) return <p className="triggers-outline__empty">{t('empty')}</p>;
  return (
    <div className="triggers-steps" role="region" aria-label={[t('steps'), name].filter(Boolean).join(': ')}>
      <Lines lines={lines} selected={selected} actions={actions} />
    </div>
  );
}

interface LinesProps extends OutlineProps {
  lines: readonly Line[];
}

function Lines({ lines, selected, actions }: LinesProps) {
  return (
    <ol className="triggers-steps__list">
      {lines.map((line) => (
        <Item key={line.number} line={line} selected={selected} actions={actions} />
      ))}
    </ol>
  );
}

interface ItemProps extends OutlineProps {
  line: Line;
}

function Item({ line, selected, actions }: ItemProps) {
  const canvas = useCanvas();
  const { t, world } = canvas;
  const { step } = line;
  const kind = world.kindOf(step.kind);
  const isOpen = selected.includes(step.id) && !line.again;
  const problems = line.again ? [] : canvas.problemsOf(step.id);
  return (
    <li className="triggers-steps__item">
      <div className={`triggers-steps__line ${isOpen ? 'triggers-steps__line--open' : ''}`}>
        {line.port && <span className="triggers-outline__port">{line.port}</span>}
        {line.again ? (
          <span className="triggers-steps__again">
            {t('go_on_above', { step: canvas.nameOf(step.id) })}
          </span>
        ) : (
          <button
            type="button"
            className="triggers-steps__step"
            data-step={step.id}
            aria-expanded={canvas.readOnly ? undefined : isOpen}
            onClick={() => canvas.open(step.id, true)}
          >
            <Icon name={kind?.icon ?? 'warning'} />
            <span className="triggers-steps__words">
              <b>
                {kind?.label ?? step.kind} <MarkTag step={step} />
              </b>
              {canvas.sentenceOf(step) !== kind?.label && <span>{canvas.sentenceOf(step)}</span>}
            </span>
          </button>
        )}
        {!line.again && <NoteLine step={step} />}
        {canvas.hasNumbers && !line.again && (
          <NumbersRow numbers={canvas.numbersOf(step.id)} />
        )}
        {problems.map((one) => (
          <p key={one.field + one.message} className={`triggers-step__${one.severity}`}>
            <b>{t(one.severity === 'error' ? 'error' : 'note')}</b> {one.message}
          </p>
        ))}
        {isOpen && !canvas.readOnly && <StepActions step={step} actions={actions} />}
      </div>
      {line.below.length > 0 && (
        <Lines lines={line.below} selected={selected} actions={actions} />
      )}
    </li>
  );
}

/** Everything that can be done to one step, as buttons and lists to choose from. */
export function StepActions({ step, actions }: { step: Step; actions: Actions }) {
  const { t, world, graph, pick, nameOf } = useCanvas();
  const ports = world.portsOf(step);
  const isMovable = canMove(graph, step, world);
  const targets = graph.nodes.filter((one) => one.id !== step.id && canEnter(one, world.kindOf));
  const places = graph.nodes
    .filter((one) => one.id !== step.id && world.kindOf(one.kind)?.role !== 'watch')
    .flatMap((one) => world.portsOf(one).map((port) => ({ step: one, port })));
  return (
    <div className="triggers-actions">
      <div className="triggers-actions__row">
        {ports.map((port) => (
          <Action
            key={port[0]}
            icon="plus"
            label={ports.length > 1 ? t('add_to_port', { port: labelOf(port) }) : t('add_after')}
            onClick={() => pick({ source: step.id, port: port[0] })}
          />
        ))}
        <Action icon="copy" label={t('duplicate')} onClick={() => actions.duplicate(step.id)} />
        {isMovable && (
          <>
            <Action icon="arrow-up" label={t('move_up')} onClick={() => actions.moveUp(step.id)} />
            <Action
              icon="arrow-down"
              label={t('move_down')}
              onClick={() => actions.moveDown(step.id)}
            />
          </>
        )}
        <Action icon="bin" label={t('delete')} onClick={() => actions.remove([step.id])} />
      </div>
      {(ports.length > 0 || isMovable) && (
        <details className="triggers-actions__more">
          <summary>{t('more')}</summary>
          {world.kindOf(step.kind)?.role !== 'watch' &&
            ports.map((port) => (
              <label key={port[0]}>
                {t('leads_to', { port: labelOf(port) })}
                <select
                  value={targetOf(graph, { source: step.id, port: port[0] }) ?? ''}
                  onChange={(event) =>
                    actions.lead({ source: step.id, port: port[0] }, event.target.value)
                  }
                >
                  <option value="">{t('nowhere')}</option>
                  {targets.map((one) => (
                    <option key={one.id} value={one.id}>
                      {nameOf(one.id)}
                    </option>
                  ))}
                </select>
              </label>
            ))}
          {isMovable && (
            <label>
              {t('move_after')}
              <select
                value=""
                onChange={(event) => {
                  const [source = '', port = ''] = event.target.value.split('/');
                  if (stepOf(graph, source)) actions.moveTo(step.id, { source, port });
                }}
              >
                <option value="">–</option>
                {places.map((one) => (
                  <option
                    key={`${one.step.id}/${one.port[0]}`}
                    value={`${one.step.id}/${one.port[0]}`}
                  >
                    {nameOf(one.step.id)}
                    {world.portsOf(one.step).length > 1 ? `: ${labelOf(one.port)}` : ''}
                  </option>
                ))}
              </select>
            </label>
          )}
        </details>
      )}
    </div>
  );
}

function Action({ icon, label, onClick }: { icon: string; label: string; onClick: () => void }) {
  return (
    <button type="button" className="triggers-actions__button" onClick={onClick}>
      <Icon name={icon} /> {label}
    </button>
  );
}
