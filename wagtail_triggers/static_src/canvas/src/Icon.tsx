/** An icon of Wagtail's sprite, which every page of the admin holds. */
export function Icon({ name }: { name: string }) {
  return (
    <svg className={`icon icon-${name}`} aria-hidden="true">
      <use href={`#icon-${name}`} />
    </svg>
  );
}

interface ToolProps {
  icon: string;
  label: string;
  onClick: () => void;
  disabled?: boolean;
}

/** A button with an icon alone. */
export function Tool({ icon, label, onClick, disabled = false }: ToolProps) {
  return (
    <button
      type="button"
      className="triggers-canvas__tool"
      aria-label={label}
      title={label}
      onClick={onClick}
      disabled={disabled}
    >
      <Icon name={icon} />
    </button>
  );
}
