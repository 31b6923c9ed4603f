import { useCanvas } from './context';
import type { Step } from './graph';
import { Icon } from './Icon';

const ICONS = { added: 'plus', removed: 'minus', changed: 'edit' } as const;

/** What became of a step between two revisions: a word and a sign, not only a colour. */
export function MarkTag({ step }: { step: Step }) {
  const { t, markOf } = useCanvas();
  const mark = markOf(step.id);
  if (!mark) return null;
  return (
    <span className={`triggers-mark triggers-mark--${mark}`}>
      <Icon name={ICONS[mark]} /> {t(`mark_${mark}`)}
    </span>
  );
}

/** That there is a note at a step on the canvas; it is read where the pointer rests. */
export function NoteBadge({ step }: { step: Step }) {
  const { t } = useCanvas();
  if (!step.note) return null;
  return (
    <div className="triggers-node__note" title={step.note}>
      <Icon name="comment" />
      <span className="w-sr-only">
        {t('note_of')} {step.note}
      </span>
    </div>
  );
}

/** What editors tell each other about a step. */
export function NoteLine({ step }: { step: Step }) {
  const { t } = useCanvas();
  if (!step.note) return null;
  return (
    <p className="triggers-note">
      <Icon name="comment" />
      <span className="w-sr-only">{t('note_of')}</span> <span>{step.note}</span>
    </p>
  );
}
