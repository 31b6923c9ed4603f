import { useEffect, useRef } from 'react';
import type { Kind } from './graph';
import { Tool } from './Icon';
import type { Translate } from './page';
import { Palette } from './Palette';

interface PickerProps {
  kinds: readonly Kind[];
  title: string;
  t: Translate;
  onPick: (kind: Kind) => void;
  onClose: () => void;
}

/** Asks which kind of step to add: a modal dialog in which typing and Enter are enough. */
export function Picker({ kinds, title, t, onPick, onClose }: PickerProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    element?.querySelector('input')?.focus();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      className="triggers-picker"
      aria-label={title}
      onCancel={onClose}
      onKeyDown={(event) => {
        // A search field would only be emptied by it at first.
        if (event.key !== 'Escape') return;
        event.preventDefault();
        event.stopPropagation();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) onClose();
      }}
    >
      <div className="triggers-picker__box">
        <div className="triggers-panel__head">
          <h3 className="triggers-panel__title">{title}</h3>
          <Tool icon="cross" label={t('close')} onClick={onClose} />
        </div>
        <Palette kinds={kinds} t={t} onPick={onPick} isFocused />
      </div>
    </dialog>
  );
}
