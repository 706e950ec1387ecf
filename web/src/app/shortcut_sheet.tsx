import { useCommandList } from "../lib/hooks";
import { showKeys } from "../lib/shortcuts";
import { t } from "../text";
import { Dialog } from "../ui/controls";

export function ShortcutSheet({ open, onClose }: { open: boolean; onClose: () => void }) {
  const commands = useCommandList().filter((command) => command.keys && command.title);
  const groups = [...new Set(commands.map((command) => command.group))];
  return (
    <Dialog title={t.app.shortcuts} open={open} onClose={onClose} wide>
      <div className="sheet">
        {groups.map((group) => (
          <section key={group} aria-label={group}>
            <h3>{group}</h3>
            <dl>
              {commands
                .filter((command) => command.group === group)
                .map((command) => (
                  <div key={command.id}>
                    <dt>{command.title}</dt>
                    <dd>
                      {command.keys!.map((keys) => (
                        <kbd key={keys} className="kbd">
                          {showKeys(keys)}
                        </kbd>
                      ))}
                    </dd>
                  </div>
                ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
