import { useRef, useState } from 'react';
import { useCanvas } from './context';
import { isPlaced } from './graph';
import { Tool } from './Icon';

export type View = 'canvas' | 'outline' | 'text';

interface BarProps {
  view: View;
  views: readonly View[];
  canUndo: boolean;
  canRedo: boolean;
  onView: (view: View) => void;
  onBack: (what: 'undo' | 'redo') => void;
  onTidy: () => void;
  onFit: () => void;
  onZoom: (by: 'in' | 'out') => void;
  onFound: (id: string) => void;
}

/** The tools above the canvas. */
export function Bar(props: BarProps) {
  const { view, views, onView } = props;
  const { t, readOnly, pick } = useCanvas();
  return (
    <div className="triggers-canvas__bar">
      <div className="triggers-canvas__views" role="group" aria-label={t('view')}>
        {views.map((name) => (
          <button
            key={name}
            type="button"
            className="triggers-canvas__view"
            aria-pressed={view === name}
            onClick={() => onView(name)}
          >
            {t(name)}
          </button>
        ))}
      </div>
      {view !== 'text' && (
        <>
          <Tools {...props} />
          {!readOnly && (
            <button
              type="button"
              className="button button-small button-secondary triggers-canvas__add"
              onClick={() => pick()}
            >
              {t('add')}
            </button>
          )}
        </>
      )}
    </div>
  );
}

function Tools({ view, canUndo, canRedo, onBack, onTidy, onFit, onZoom, onFound }: BarProps) {
  const { t, graph, readOnly, nameOf } = useCanvas();
  return (
    <>
      {!readOnly && (
        <div className="triggers-canvas__tools">
          <Tool icon="triggers-undo" label={t('undo')} disabled={!canUndo} onClick={() => onBack('undo')} />
          <Tool icon="triggers-redo" label={t('redo')} disabled={!canRedo} onClick={() => onBack('redo')} />
        </div>
      )}
      {view === 'canvas' && (
        <div className="triggers-canvas__tools">
          {!readOnly && (
            <Tool icon="triggers-tidy" label={t('tidy')} disabled={!isPlaced(graph)} onClick={onTidy} />
          )}
          <Tool icon="triggers-fit" label={t('fit')} onClick={onFit} />
          <Tool icon="minus" label={t('zoom_out')} onClick={() => onZoom('out')} />
          <Tool icon="plus" label={t('zoom_in')} onClick={() => onZoom('in')} />
        </div>
      )}
      <Search
        steps={graph.nodes.map((one) => ({ id: one.id, name: nameOf(one.id) }))}
        label={t('search')}
        onFound={onFound}
      />
    </>
  );
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
