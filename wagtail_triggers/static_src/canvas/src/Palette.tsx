import { useId, useMemo, useState, type KeyboardEvent } from 'react';
import type { Kind } from './graph';
import { Icon } from './Icon';
import type { Translate } from './page';

export const DRAGGED = 'application/x-triggers-kind';

interface PaletteProps {
  kinds: readonly Kind[];
  t: Translate;
  onPick: (kind: Kind) => void;
  isDraggable?: boolean;
  isFocused?: boolean;
}

const GROUPS = ['group_entry', 'group_step', 'group_waits', 'group_paths', 'group_ends', 'group_watch'];

function groupOf(kind: Kind): string {
  if (kind.role === 'entry') return 'group_entry';
  if (kind.role === 'watch') return 'group_watch';
  if (kind.kind.startsWith('wait')) return 'group_waits';
  if (kind.ports.length === 0) return 'group_ends';
  return kind.ports.length > 1 ? 'group_paths' : 'group_step';
}

export function matching(kinds: readonly Kind[], text: string): Kind[] {
  const words = text.trim().toLocaleLowerCase();
  const rank = (kind: Kind): number => {
    const label = kind.label.toLocaleLowerCase();
    if (label.startsWith(words)) return 0;
    if (label.includes(words)) return 1;
    return `${kind.description} ${kind.kind}`.toLocaleLowerCase().includes(words) ? 2 : 3;
  };
  return kinds
    .map((kind) => ({ kind, rank: rank(kind) }))
    .filter((one) => one.rank < 3)
    .sort((a, b) => a.rank - b.rank)
    .map((one) => one.kind);
}

/** The kinds of steps, to search, to choose and to drag. */
export function Palette({ kinds, t, onPick, isDraggable = false, isFocused = false }: PaletteProps) {
  const [text, setText] = useState('');
  const id = useId();
  const found = useMemo(() => matching(kinds, text), [kinds, text]);
  const typed = (event: KeyboardEvent) => {
    if (event.key !== 'Enter') return;
    event.preventDefault(); // the page's form is not to be sent
    if (found[0]) {
      setText('');
      onPick(found[0]);
    }
  };
  const groups = text
    ? [['', found] as const]
    : GROUPS.map((name) => [name, found.filter((one) => groupOf(one) === name)] as const);
  return (
    <div className="triggers-palette">
      <label className="w-sr-only" htmlFor={id}>
        {t('search_palette')}
      </label>
      <input
        id={id}
        type="search"
        className="triggers-palette__search"
        placeholder={t('search_palette')}
        value={text}
        autoFocus={isFocused}
        autoComplete="off"
        onChange={(event) => setText(event.target.value)}
        onKeyDown={typed}
      />
      {found.length === 0 && <p className="triggers-palette__none">{t('no_match')}</p>}
      {groups
        .filter(([, members]) => members.length > 0)
        .map(([name, members]) => (
          <div key={name} className="triggers-palette__group">
            {name && <h4 className="triggers-palette__heading">{t(name)}</h4>}
            <ul className="triggers-palette__list">
              {members.map((kind) => (
                <li key={kind.kind}>
                  <button
                    type="button"
                    className="triggers-palette__kind"
                    data-kind={kind.kind}
                    draggable={isDraggable}
                    title={kind.description}
                    onDragStart={(event) => {
                      event.dataTransfer.setData(DRAGGED, kind.kind);
                      event.dataTransfer.effectAllowed = 'copy';
                    }}
                    onClick={() => {
                      setText('');
                      onPick(kind);
                    }}
                  >
                    <Icon name={kind.icon} />
                    <span className="triggers-palette__label">{kind.label}</span>
                    {!isDraggable && (
                      <span className="triggers-palette__about">{kind.description}</span>
                    )}
                  </button>
                </li>
              ))}
            </ul>
          </div>
        ))}
    </div>
  );
}
