/** Small controls shared by all pages. Look: styles/controls.css. */
import clsx from "clsx";
import { Check, Copy, X } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { useEffect, useId, useRef, useState, type ButtonHTMLAttributes, type ReactNode } from "react";

import { showKeys } from "../lib/shortcuts";
import { t } from "../text";

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & { kind?: "primary" | "quiet" | "danger"; size?: "sm" | "lg"; icon?: boolean; label?: string; keys?: string };

/** A button; with `icon` a square one, named by `label`, which its tooltip shows with the shortcut (ui/tooltip.tsx). */
export function Button({ kind, size, icon, label, keys, className, title, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      className={clsx("btn", kind && `btn-${kind}`, size && `btn-${size}`, icon && "btn-icon", className)}
      aria-label={label}
      data-tip={title ?? label}
      data-keys={keys}
      {...rest}
    />
  );
}

export function Segmented<V extends string>({ label, value, options, onChange }: { label: string; value: V; options: readonly { value: V; text: ReactNode; disabled?: boolean }[]; onChange: (value: V) => void }) {
  return (
    <div className="seg" role="radiogroup" aria-label={label} onKeyDown={moveAmong}>
      {options.map((option) => (
        <button key={option.value} type="button" role="radio" aria-checked={option.value === value} tabIndex={option.value === value ? 0 : -1} disabled={option.disabled} onClick={() => onChange(option.value)}>
          {option.text}
        </button>
      ))}
    </div>
  );
}

export function Tabs<V extends string>({ label, value, options, onChange, className = "tabs" }: { label: string; value: V; options: readonly { value: V; text: ReactNode }[]; onChange: (value: V) => void; className?: string }) {
  return (
    <div className={className} role="tablist" aria-label={label} onKeyDown={moveAmong}>
      {options.map((option) => (
        <button key={option.value} type="button" role="tab" aria-selected={option.value === value} tabIndex={option.value === value ? 0 : -1} onClick={() => onChange(option.value)}>
          {option.text}
        </button>
      ))}
    </div>
  );
}

/** Arrow keys choose among the buttons of a group (WAI-ARIA radio group and tabs patterns). */
function moveAmong(event: React.KeyboardEvent<HTMLDivElement>): void {
  const step = event.key === "ArrowRight" || event.key === "ArrowDown" ? 1 : event.key === "ArrowLeft" || event.key === "ArrowUp" ? -1 : 0;
  if (step === 0) return;
  const buttons = [...event.currentTarget.querySelectorAll<HTMLButtonElement>("button:not(:disabled)")];
  const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
  if (at < 0) return;
  event.preventDefault();
  const next = buttons[(at + step + buttons.length) % buttons.length]!;
  next.focus();
  next.click();
}

export function CopyButton({ text, label = t.app.copy }: { text: string | (() => string | Promise<string>); label?: string }) {
  const [done, setDone] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(typeof text === "string" ? text : await text());
    setDone(true);
    setTimeout(() => setDone(false), 1500);
  };
  return (
    <Button kind="quiet" size="sm" icon label={done ? t.app.copied : label} onClick={() => void copy()}>
      {done ? <Check className="icon sm" aria-hidden="true" /> : <Copy className="icon sm" aria-hidden="true" />}
    </Button>
  );
}

type DialogProps = { title: ReactNode; open: boolean; onClose: () => void; children: ReactNode; footer?: ReactNode; wide?: boolean; description?: string };

/** A modal dialog: the browser's own, which keeps the focus inside, the page behind inert, and closes on Esc. */
export function Dialog(props: DialogProps) {
  return props.open ? <OpenDialog {...props} /> : null;
}

/** The same without a head: `label` names it. */
export function BareDialog(props: { label: string; open: boolean; onClose: () => void; className: string; children: ReactNode }) {
  return props.open ? <Modal {...props} /> : null;
}

function Modal({ label, labelledBy, onClose, className, children }: { label?: string; labelledBy?: string; onClose: () => void; className: string; children: ReactNode }) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    const dialog = element.current!;
    if (!dialog.open) dialog.showModal();
    return () => {
      dialog.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={element}
      className={className}
      aria-label={label}
      aria-labelledby={labelledBy}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onPointerDown={(event) => {
        if (event.target === element.current) onClose(); // the backdrop
      }}
    >
      {children}
    </dialog>
  );
}

function OpenDialog({ title, onClose, children, footer, wide, description }: DialogProps) {
  const id = useId();
  return (
    <Modal labelledBy={id} onClose={onClose} className={clsx("dialog modal", wide && "dialog-wide")}>
      <header>
        <h2 id={id}>{title}</h2>
        <span className="grow" />
        <Button kind="quiet" icon label={t.app.close} onClick={onClose}>
          <X className="icon sm" aria-hidden="true" />
        </Button>
      </header>
      {description && <p className="dialog-text">{description}</p>}
      <div className="dialog-body">{children}</div>
      {footer && <footer>{footer}</footer>}
    </Modal>
  );
}

export type MenuItem = { text: ReactNode; keys?: string; icon?: ReactNode; danger?: boolean; disabled?: boolean; onSelect: () => void } | "separator";

export function Menu({ trigger, items, align = "end" }: { trigger: ReactNode; items: readonly MenuItem[]; align?: "start" | "end" }) {
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="menu" align={align} sideOffset={4} collisionPadding={8}>
          {items.map((item, index) =>
            item === "separator" ? (
              <DropdownMenu.Separator key={index} className="menu-line" />
            ) : (
              <DropdownMenu.Item key={index} className={clsx("menu-item", item.danger && "is-danger")} disabled={item.disabled ?? false} onSelect={item.onSelect}>
                {item.icon}
                <span className="grow">{item.text}</span>
                {item.keys && <kbd className="kbd">{showKeys(item.keys)}</kbd>}
              </DropdownMenu.Item>
            ),
          )}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

export function Field({ label, help, error, id, children, aside }: { label: string; id: string; help?: ReactNode; error?: string | undefined; children: ReactNode; aside?: ReactNode }) {
  return (
    <div className="field">
      <div className="field-head">
        <label htmlFor={id}>{label}</label>
        {aside}
      </div>
      {children}
      {error && (
        <p className="help bad" id={`${id}-error`} role="alert">
          {error}
        </p>
      )}
      {help && !error && <p className="help">{help}</p>}
    </div>
  );
}
