import { useCanvas } from './context';
import type { Numbers } from './page';

const SHOWN = ['entered', 'waiting', 'sent', 'converted', 'left'] as const;

/** What happened at a step, in numbers; what is wrong, in red and in words. */
export function NumbersRow({ numbers }: { numbers: Numbers | undefined }) {
  const { t } = useCanvas();
  return (
    <ul className="triggers-numbers">
      {SHOWN.filter((name) => name === 'entered' || numbers?.[name]).map((name) => (
        <li key={name}>
          <b>{numbers?.[name] ?? 0}</b> {t(name)}
        </li>
      ))}
      {numbers?.errors ? (
        <li className="triggers-numbers__errors">
          <b>{numbers.errors}</b> {t('errors')}
        </li>
      ) : null}
    </ul>
  );
}
