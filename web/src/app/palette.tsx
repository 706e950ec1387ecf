/** The command palette: every shortcut is an action here, beside pages, workflows and executions by id. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Command } from "cmdk";
import { Activity, Workflow } from "lucide-react";
import { useMemo, useState } from "react";

import { workflowsQuery } from "../api/queries";
import { useCommandList, useSettled } from "../lib/hooks";
import { rank } from "../lib/fuzzy";
import { paletteSteps } from "../lib/palette_steps";
import { showKeys } from "../lib/shortcuts";
import { t } from "../text";
import { BareDialog } from "../ui/controls";

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function Palette({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <BareDialog label={t.palette.title} open={open} onClose={onClose} className="palette">
      <Command label={t.palette.title} loop>
        <Content onClose={onClose} />
      </Command>
    </BareDialog>
  );
}

function Content({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState("");
  const search = useSettled(text, 120);
  const commands = useCommandList().filter((command) => command.title && (command.enabled?.() ?? true));
  const { data } = useInfiniteQuery({ ...workflowsQuery({ search }), enabled: search.length > 0 });
  const steps = paletteSteps();
  const found = useMemo(() => (steps && search.trim() !== "" ? rank(steps.list(), search, ({ name, id, detail }) => [name, id, detail]).slice(0, 8) : []), [steps, search]);
  const navigate = useNavigate();
  const leave = (action: () => void) => () => {
    onClose();
    requestAnimationFrame(action); // after the dialog has given the focus back
  };
  return (
    <>
      <div className="palette-search">
        <Command.Input value={text} onValueChange={setText} placeholder={t.palette.title} aria-label={t.palette.title} autoFocus />
        <kbd className="kbd">Esc</kbd>
      </div>
      <Command.List label={t.palette.title}>
        <Command.Empty>{t.palette.empty}</Command.Empty>
        {uuid.test(text.trim()) && (
          <Command.Item value={text} onSelect={leave(() => void navigate({ to: "/executions/$id", params: { id: text.trim() } }))}>
            <Activity className="icon" aria-hidden="true" />
            {t.palette.executionById(text.trim())}
          </Command.Item>
        )}
        {found.length > 0 && (
          <Command.Group heading={t.palette.steps}>
            {found.map(({ id, name, detail }) => (
              <Command.Item key={id} value={`${name} ${id} ${search}`} onSelect={leave(() => steps!.go(id))}>
                <span className="grow clip">{name}</span>
                <span className="t3 clip">{detail}</span>
              </Command.Item>
            ))}
          </Command.Group>
        )}
        {(data?.pages[0]?.results.length ?? 0) > 0 && (
          <Command.Group heading={t.palette.workflows}>
            {data!.pages[0]!.results.slice(0, 8).map((workflow) => (
              <Command.Item key={workflow.id} value={`${workflow.name} ${search}`} onSelect={leave(() => void navigate({ to: "/workflows/$id", params: { id: workflow.id } }))}>
                <Workflow className="icon" aria-hidden="true" />
                {workflow.name}
              </Command.Item>
            ))}
          </Command.Group>
        )}
        {[...new Set(commands.map((command) => command.group))].map((group) => (
          <Command.Group key={group} heading={group}>
            {commands
              .filter((command) => command.group === group)
              .map((command) => (
                <Command.Item key={command.id} value={`${command.title} ${command.id}`} onSelect={leave(command.run)}>
                  <span className="grow">{command.title}</span>
                  {command.keys?.[0] && <kbd className="kbd">{showKeys(command.keys[0])}</kbd>}
                </Command.Item>
              ))}
          </Command.Group>
        ))}
      </Command.List>
    </>
  );
}
