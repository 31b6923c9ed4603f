import { useEffect, useRef, useState } from 'react';
import {
  bare,
  groupOf,
  isObject,
  leafOf,
  LEAVES,
  newLeaf,
  typedValue,
  withOp,
  wrapped,
  type Condition,
  type GroupKey,
  type Leaf,
  type Vocabulary,
} from './condition-tree';
import { layoutJson, type Json } from './graph';
import { Icon, Tool } from './Icon';
import type { Translate } from './page';

interface Shared {
  words: Vocabulary;
  t: Translate;
}

interface EditorProps extends Shared {
  initial: Json;
  onChange: (value: Condition | null) => void;
}

/** Edits a condition: groups, "not" and comparisons; what it does not know, as JSON. */
export function ConditionEditor({ initial, onChange, words, t }: EditorProps) {
  const [value, setValue] = useState<Condition | null>(isObject(initial) ? initial : null);
  const holder = useRef<HTMLDivElement>(null);
  const leaves = useRef(0);
  const wasDrawn = useRef(false);
  const change = (next: Condition | null) => {
    setValue(next);
    onChange(next);
  };
  // A comparison that was added is where one goes on.
  useEffect(() => {
    const found = holder.current?.querySelectorAll('.triggers-condition__leaf') ?? [];
    const isMore = found.length > leaves.current;
    const isOurs = holder.current?.contains(document.activeElement) ?? false;
    const isLost = document.activeElement === document.body;
    if (isMore && wasDrawn.current && (isOurs || isLost)) {
      found[found.length - 1]?.querySelector('select')?.focus();
    }
    leaves.current = found.length;
    wasDrawn.current = true;
  }, [value]);
  return (
    <div ref={holder} className="triggers-condition" role="group" aria-label={t('condition')}>
      {value === null ? (
        <p className="triggers-step__help">{t('no_condition')}</p>
      ) : (
        <Piece value={value} onChange={change} onRemove={() => change(null)} words={words} t={t} />
      )}
      {(value === null || !groupOf(bare(value)[0])) && (
        <button
          type="button"
          className="button button-small button-secondary"
          onClick={() => {
            const leaf = newLeaf('fact');
            change(value === null ? leaf : { all: [value, leaf] });
          }}
        >
          {t('add_condition')}
        </button>
      )}
    </div>
  );
}

interface PieceProps extends Shared {
  value: Condition;
  onChange: (value: Condition) => void;
  onRemove: () => void;
}

function Piece({ value, onChange, onRemove, words, t }: PieceProps) {
  const [inner, isNot] = bare(value);
  const group = groupOf(inner);
  const leaf = leafOf(inner);
  const put = (next: Condition) => onChange(wrapped(next, isNot));
  return (
    <div className={group ? 'triggers-condition__group' : 'triggers-condition__leaf'}>
      <div className="triggers-condition__head">
        <label className="triggers-step__check">
          <input
            type="checkbox"
            checked={isNot}
            onChange={(event) => onChange(wrapped(inner, event.target.checked))}
          />
          {t('not')}
        </label>
        {group && (
          <select
            aria-label={t('condition')}
            value={group}
            onChange={(event) => {
              put({ [event.target.value]: inner[group] ?? [] });
            }}
          >
            <option value="all">{t('all_of')}</option>
            <option value="any">{t('any_of')}</option>
          </select>
        )}
        {leaf && (
          <select
            aria-label={t('which')}
            value={leaf}
            onChange={(event) => put(newLeaf(event.target.value as Leaf))}
          >
            {LEAVES.map((one) => (
              <option key={one} value={one}>
                {t(`condition_${one}`)}
              </option>
            ))}
          </select>
        )}
        <Tool icon="bin" label={t('delete_condition')} onClick={onRemove} />
      </div>
      {group && <Group inner={inner} group={group} onChange={put} words={words} t={t} />}
      {leaf && <LeafFields inner={inner} leaf={leaf} onChange={put} words={words} t={t} />}
      {!group && !leaf && <Raw value={inner} onChange={put} t={t} />}
    </div>
  );
}

interface GroupProps extends Shared {
  inner: Condition;
  group: GroupKey;
  onChange: (value: Condition) => void;
}

function Group({ inner, group, onChange, words, t }: GroupProps) {
  const parts = (inner[group] as Json[]).filter(isObject);
  const put = (next: Condition[]) => onChange({ [group]: next });
  return (
    <>
      <ul className="triggers-condition__parts">
        {parts.map((one, n) => (
          <li key={n}>
            <Piece
              value={one}
              onChange={(next) => put(parts.map((part, m) => (m === n ? next : part)))}
              onRemove={() => put(parts.filter((_part, m) => m !== n))}
              words={words}
              t={t}
            />
          </li>
        ))}
      </ul>
      <div className="triggers-condition__add">
        <button
          type="button"
          className="button button-small button-secondary"
          onClick={() => put([...parts, newLeaf('fact')])}
        >
          {t('add_condition')}
        </button>
        <button
          type="button"
          className="button button-small button-secondary"
          onClick={() => put([...parts, { [group === 'all' ? 'any' : 'all']: [newLeaf('fact')] }])}
        >
          {t('add_group')}
        </button>
      </div>
    </>
  );
}

interface LeafProps extends Shared {
  inner: Condition;
  leaf: Leaf;
  onChange: (value: Condition) => void;
}

function LeafFields({ inner, leaf, onChange, words, t }: LeafProps) {
  const choices: Record<Leaf, readonly (readonly [string, string])[]> = {
    fact: words.facts.map((one) => [one, one]),
    event: words.fields.map((one) => [one, one]),
    done: words.events,
    message: [['any', t('any_message')], ...words.messages.map((one) => [one, one] as const)],
    segment: words.segments,
  };
  const name = inner[leaf] as string;
  return (
    <div className="triggers-condition__fields">
      <Choice
        label={t(`condition_${leaf}`)}
        value={name}
        choices={choices[leaf]}
        onChange={(next) => onChange({ ...inner, [leaf]: next })}
      />
      {(leaf === 'fact' || leaf === 'event') && (
        <Comparison inner={inner} onChange={onChange} words={words} t={t} />
      )}
      {leaf === 'done' && (
        <Choice
          label={t('comparison')}
          value={typeof inner.match === 'string' ? inner.match : ''}
          choices={[
            ['same_object', t('matches_same')],
            ['any', t('matches_any')],
          ]}
          onChange={(next) => onChange({ ...inner, match: next })}
        />
      )}
      {leaf === 'message' && (
        <Choice
          label={t('comparison')}
          value={typeof inner.was === 'string' ? inner.was : ''}
          choices={['opened', 'clicked', 'delivered', 'bounced', 'complained'].map((one) => [
            one,
            t(`was_${one}`),
          ])}
          onChange={(next) => onChange({ ...inner, was: next })}
        />
      )}
    </div>
  );
}

interface ComparisonProps extends Shared {
  inner: Condition;
  onChange: (value: Condition) => void;
}

function Comparison({ inner, onChange, words, t }: ComparisonProps) {
  const op = typeof inner.op === 'string' ? inner.op : '';
  const isValueless = words.ops.find(([name]) => name === op)?.[2] ?? false;
  const { value } = inner;
  const shown = (Array.isArray(value) ? value : [value ?? '']).map(plain).join(', ');
  return (
    <>
      <Choice
        label={t('comparison')}
        value={op}
        choices={words.ops.map(([name, label]) => [name, label])}
        onChange={(next) => {
          const isBare = words.ops.find(([one]) => one === next)?.[2] ?? false;
          onChange(withOp(inner, next, isBare));
        }}
      />
      {!isValueless && (
        <input
          type="text"
          aria-label={op === 'in' ? t('values') : t('value')}
          placeholder={op === 'in' ? t('values') : t('value')}
          defaultValue={shown}
          onChange={(event) => {
            const text = event.target.value;
            const list = text
              .split(',')
              .map((one) => one.trim())
              .filter(Boolean);
            onChange({ ...inner, value: op === 'in' ? list.map(typedValue) : typedValue(text) });
          }}
        />
      )}
    </>
  );
}

function plain(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

interface ChoiceProps {
  label: string;
  value: string;
  choices: readonly (readonly [string, string])[];
  onChange: (value: string) => void;
}

/** A select that never loses a value that is no longer among its choices. */
function Choice({ label, value, choices, onChange }: ChoiceProps) {
  const isKnown = choices.some(([key]) => key === value);
  return (
    <select aria-label={label} value={value} onChange={(event) => onChange(event.target.value)}>
      {!isKnown && <option value={value}>{value || '–'}</option>}
      {choices.map(([key, words]) => (
        <option key={key} value={key}>
          {words}
        </option>
      ))}
    </select>
  );
}

interface RawProps {
  value: Condition;
  onChange: (value: Condition) => void;
  t: Translate;
}

function Raw({ value, onChange, t }: RawProps) {
  const [isWrong, setWrong] = useState(false);
  return (
    <>
      <textarea
        className="triggers-code"
        rows={3}
        dir="ltr"
        aria-label={t('as_json')}
        aria-invalid={isWrong}
        defaultValue={layoutJson(value)}
        onChange={(event) => {
          try {
            const read: unknown = JSON.parse(event.target.value);
            setWrong(!isObject(read));
            if (isObject(read)) onChange(read);
          } catch {
            setWrong(true);
          }
        }}
      />
      {isWrong && (
        <p className="triggers-step__error">
          <Icon name="warning" /> {t('json_wrong')}
        </p>
      )}
    </>
  );
}
