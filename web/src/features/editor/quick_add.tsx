/** Quick add: a short list of step types where the person is, found by what they do as well as by name. N, type, Enter. */
import { useQuery } from "@tanstack/react-query";
import { Search, TriangleAlert } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";

import type { TaskType } from "../../api/client";
import { taskTypesQuery } from "../../api/queries";
import { rank } from "../../lib/fuzzy";
import { readSetting, writeSetting } from "../../lib/storage";
import { t } from "../../text";
import { categoryOf, TypeTile } from "../../ui/icons";
import { triggerKinds, type TriggerKind } from "./add_trigger";

/** Words people use for what a type does. */
const verbs: Record<string, string> = {
  http_request: "call api fetch get post webhook rest url request slack crm", send_email: "mail message notify smtp", conditional: "if condition branch decide check true false", switch: "case route branch choose",
  set: "fields values edit variable assign", filter: "where keep remove only", map: "transform convert change each", sort: "order by", limit: "first top take", dedupe: "unique duplicates distinct",
  aggregate: "sum count group average total", javascript: "code script js function", python: "code script py function", split: "batch chunk lines", merge: "join combine union", delay: "wait sleep pause timer", wait_signal: "wait callback", wait_event: "wait event message correlation", publish: "event emit message notify trigger broadcast", approval: "human confirm review approve",
  workflow: "child subworkflow call run", respond: "reply answer return", fail: "stop error throw", log: "print debug message", noop: "nothing placeholder", sql_query: "database select insert postgres sqlite table",
  webhook: "trigger start http request hook post", schedule: "trigger start cron timer every daily clock", file_read: "load open csv", file_write: "save store", file_list: "directory folder", file_move: "rename", file_delete: "remove",
};

type Props = { title: string; x: number; y: number; onChoose: (type: TaskType) => void; onTrigger?: ((kind: TriggerKind) => void) | undefined; onClose: () => void };
type Entry = { type: string; title: string; icon?: string | undefined; description: string; task?: TaskType; trigger?: TriggerKind };

const triggers: readonly Entry[] = triggerKinds.map((kind) => ({ type: kind, trigger: kind, title: t.quick.triggers[kind], description: t.quick.starts[kind] }));

export function QuickAdd({ title, x, y, onChoose, onTrigger, onClose }: Props) {
  const { data: all = [] } = useQuery({ ...taskTypesQuery, staleTime: 2000 });
  const types = useMemo((): Entry[] => [...all.filter((type) => !type.problem).map((type) => ({ type: type.type, title: type.title, icon: type.icon, description: type.description, task: type })), ...(onTrigger ? triggers : [])], [all, onTrigger]);
  const [query, setQuery] = useState("");
  const [active, setActive] = useState(0);
  const box = useRef<HTMLElement>(null);
  const recent = useMemo(() => readSetting<string[]>("recent_types", []), []);
  const found = useMemo(() => {
    if (query !== "") return rank(types, query, (type) => [type.title, type.type, verbs[type.type] ?? type.description]);
    const position = (type: Entry): number => (recent.includes(type.type) ? recent.indexOf(type.type) : 100);
    return [...types].sort((a, b) => position(a) - position(b) || place(a.type) - place(b.type));
  }, [types, query, recent]);
  useEffect(() => setActive(0), [query]);
  useEffect(() => {
    const outside = (event: PointerEvent): void => {
      if (!box.current?.contains(event.target as Node)) onClose();
    };
    window.addEventListener("pointerdown", outside, true);
    return () => window.removeEventListener("pointerdown", outside, true);
  }, [onClose]);
  useEffect(() => {
    void box.current?.querySelector(`[id="quick-${active}"]`)?.scrollIntoView({ block: "nearest" });
  }, [active]);
  const choose = (entry: Entry | undefined): void => {
    if (entry?.trigger) return onTrigger?.(entry.trigger);
    const type = entry?.task;
    if (!type) return;
    writeSetting("recent_types", [type.type, ...recent.filter((name) => name !== type.type)].slice(0, 6));
    onChoose(type);
  };
  return (
    <section ref={box} className="float quick" style={{ left: x, top: y }} role="dialog" aria-label={title}>
      <header>
        <b className="clip">{title}</b>
        <span className="grow" />
        <span className="t3">{t.quick.all(found.length)}</span>
      </header>
      <div className="search">
        <Search className="icon" aria-hidden="true" />
        <input
          autoFocus
          value={query}
          aria-label={t.quick.search}
          role="combobox"
          aria-expanded="true"
          aria-controls="quick-list"
          aria-activedescendant={found.length > 0 ? `quick-${active}` : undefined}
          onChange={(event) => setQuery(event.target.value)}
          onKeyDown={(event) => {
            event.stopPropagation();
            if (event.key === "Escape") onClose();
            else if (event.key === "Enter") choose(found[active]);
            else if (event.key === "ArrowDown") setActive((index) => Math.min(found.length - 1, index + 1));
            else if (event.key === "ArrowUp") setActive((index) => Math.max(0, index - 1));
            else return;
            event.preventDefault();
          }}
        />
        <kbd className="kbd">Esc</kbd>
      </div>
      {all.map((type) => type.problem && <ImportProblem key={type.type} problem={type.problem} />)}
      <ul id="quick-list" role="listbox" aria-label={t.quick.search} className="quick-list">
        {found.slice(0, 60).map((type, index) => (
          <li
            key={type.type}
            id={`quick-${index}`}
            className="opt"
            role="option"
            aria-selected={index === active}
            data-cat={categoryOf(type.type)}
            title={type.description}
            onPointerEnter={() => setActive(index)}
            onClick={() => choose(type)}
          >
            <TypeTile type={type.type} icon={type.icon} small />
            <span className="clip">{type.title}</span>
            <span className="hint">{type.type}</span>
          </li>
        ))}
      </ul>
      {found.length === 0 && <p className="quick-none t3">{t.quick.none}</p>}
      <footer>
        <span>
          <kbd className="kbd">↑↓</kbd> {t.quick.choose}
        </span>
        <span>
          <kbd className="kbd">Enter</kbd> {t.quick.add}
        </span>
      </footer>
    </section>
  );
}

/** A module of functions that can not be imported: its functions are missing above, and this is why. */
function ImportProblem({ problem }: { problem: NonNullable<TaskType["problem"]> }) {
  return (
    <details className="quick-problem">
      <summary>
        <TriangleAlert className="icon" aria-hidden="true" />
        <span className="clip">{t.quick.notImported(problem.module)}</span>
      </summary>
      <p>{problem.title}</p>
      <pre>{problem.traceback}</pre>
    </details>
  );
}

const place = (type: string): number => (common.includes(type) ? common.indexOf(type) : common.length);
const common = [
  "http_request", "send_email", "conditional", "set", "filter", "map", "delay", "approval", "switch", "sql_query", "wait_signal", "publish", "wait_event", "workflow", "respond", "aggregate", "sort", "limit", "dedupe", "merge", "split", "file_read",
  "file_write", "file_list", "file_move", "file_delete", "javascript", "python", "log", "fail", "noop",
];
