import { useCanvas } from './context';
import { Icon } from './Icon';
import type { Problem } from './page';

interface ProblemsProps {
  /** Whether the server has seen the graph as it is now. */
  isFresh: boolean;
  all: readonly Problem[];
  onOpen: (id: string) => void;
}

/** Everything that is wrong, each with the way to its step. */
export function Problems({ isFresh, all, onOpen }: ProblemsProps) {
  const { t, nameOf } = useCanvas();
  const isWrong = all.some((one) => one.severity === 'error');
  if (!isFresh && all.length === 0) return <p className="triggers-problems__wait">{t('checking')}</p>;
  if (all.length === 0) return <p className="triggers-problems__fine">{t('problems_none')}</p>;
  return (
    <details className="triggers-problems" open={isWrong}>
      <summary className={isWrong ? 'triggers-step__error' : ''}>
        {t('problems', { n: all.length })}
      </summary>
      <ul className="triggers-problems__list">
        {all.map((one) => (
          <li key={`${one.node} ${one.field} ${one.message}`} className={`triggers-step__${one.severity}`}>
            <Icon name="warning" />
            {one.node && (
              <button type="button" className="triggers-problems__step" onClick={() => onOpen(one.node)}>
                {nameOf(one.node)}
              </button>
            )}{' '}
            {one.field && <code>{one.field}</code>} {one.message}
          </li>
        ))}
      </ul>
    </details>
  );
}
