/** A value as schema, table or tree, searched, with paths to copy, insert or drag. All rows are virtual and of one height. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { ChevronDown, ChevronRight, Search } from "lucide-react";
import { useEffect, useMemo, useRef, useState, type ReactNode } from "react";

import { describe, pathText } from "../../graph/completion";
import type { Json } from "../../graph/document";
import { formatNumber } from "../../lib/format";
import { useSettled } from "../../lib/hooks";
import { t } from "../../text";
import { Button, CopyButton, Segmented } from "../../ui/controls";
import { flatten, pathKey, schemaOf, searchIn, tableOf, type Row } from "./rows";

export type DataView = "schema" | "table" | "json";
type Props = { value: Json; base?: readonly (string | number)[]; onInsert?: (expression: string) => void; actions?: ReactNode; initial?: DataView; label: string };

export function DataViewer({ value, base = [], onInsert, actions, initial = "json", label }: Props) {
  const [view, setView] = useState<DataView>(initial);
  const [searching, setSearching] = useState(false);
  const [text, setText] = useState("");
  const settled = useSettled(text, 150);
  return (
    <>
      <div className="row data-head">
        <Segmented
          label={t.data.view}
          value={view}
          onChange={setView}
          options={[
            { value: "schema", text: t.data.schema },
            { value: "table", text: t.data.table },
            { value: "json", text: t.data.json },
          ]}
        />
        <span className="grow" />
        <Button kind="quiet" icon label={t.data.search} aria-pressed={searching} onClick={() => setSearching((on) => !on)}>
          <Search className="icon sm" aria-hidden="true" />
        </Button>
        {actions}
        <CopyButton text={() => JSON.stringify(value, null, 2)} label={t.data.copyValue} />
      </div>
      {searching && <input className="input data-search" type="search" autoFocus aria-label={t.data.search} placeholder={t.data.search} value={text} onChange={(event) => setText(event.target.value)} />}
      {view === "json" && <DataTree value={value} base={base} search={searching ? settled : ""} label={label} {...(onInsert ? { onInsert } : {})} />}
      {view === "schema" && <SchemaList value={value} search={searching ? settled : ""} label={label} />}
      {view === "table" && <DataTable value={value} label={label} />}
    </>
  );
}

const rowHeight = 24;

export function DataTree({ value, base = [], search = "", onInsert, label }: { value: Json; base?: readonly (string | number)[]; search?: string; onInsert?: (expression: string) => void; label: string }) {
  const [open, setOpen] = useState<ReadonlySet<string>>(() => firstOpen(value));
  const [limits, setLimits] = useState<ReadonlyMap<string, number>>(new Map());
  const [current, setCurrent] = useState(0);
  const found = useMemo(() => (search === "" ? null : searchIn(value, search)), [value, search]);
  const shownOpen = useMemo(() => (found ? new Set([...open, ...found.open]) : open), [open, found]);
  const rows = useMemo(() => flatten(value, shownOpen, limits), [value, shownOpen, limits]);
  const box = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => box.current, estimateSize: () => rowHeight, overscan: 8 });
  useEffect(() => {
    if (!found || found.hits.size === 0) return;
    const index = rows.findIndex((row) => found.hits.has(pathKey(row.path)));
    if (index >= 0) virtual.scrollToIndex(index, { align: "center" });
  }, [found]);
  const toggle = (row: Row): void => {
    const key = pathKey(row.path);
    if (row.more !== undefined) {
      setLimits(new Map(limits).set(key, (limits.get(key) ?? 200) + 2000));
      return;
    }
    const next = new Set(open);
    if (!next.delete(key)) next.add(key);
    setOpen(next);
  };
  const expression = (row: Row): string => pathText([...base, ...row.path]);
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const row = rows[current];
    const go = (index: number): void => {
      const next = Math.max(0, Math.min(rows.length - 1, index));
      setCurrent(next);
      virtual.scrollToIndex(next);
    };
    if (event.key === "ArrowDown") go(current + 1);
    else if (event.key === "ArrowUp") go(current - 1);
    else if (event.key === "Home") go(0);
    else if (event.key === "End") go(rows.length - 1);
    else if (row && event.key === "ArrowRight" && row.branch && !row.open) toggle(row);
    else if (row && event.key === "ArrowLeft" && row.open) toggle(row);
    else if (row && event.key === "Enter") {
      if (onInsert && row.more === undefined) onInsert(expression(row));
      else toggle(row);
    } else return;
    event.preventDefault();
  };
  return (
    <div ref={box} className="tree data-tree" role="tree" tabIndex={0} aria-label={label} aria-activedescendant={rows[current] ? `${label}-${current}` : undefined} onKeyDown={onKeyDown}>
      <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const row = rows[index]!;
          return (
            <div
              key={index}
              id={`${label}-${index}`}
              role="treeitem"
              aria-level={row.depth + 1}
              aria-selected={index === current}
              aria-expanded={row.branch ? row.open : undefined}
              className={`tree-row${index === current ? " is-cur" : ""}${found?.hits.has(pathKey(row.path)) ? " is-hit" : ""}`}
              style={{ transform: `translateY(${start}px)`, "--d": row.depth } as React.CSSProperties}
              draggable={row.more === undefined && base.length > 0}
              onDragStart={(event) => {
                event.dataTransfer.setData("text/plain", `{{ ${expression(row)} }}`);
                event.dataTransfer.effectAllowed = "copy";
              }}
              onClick={() => {
                setCurrent(index);
                if (row.branch || row.more !== undefined) toggle(row);
              }}
            >
              {row.branch ? row.open ? <ChevronDown className="icon xs" aria-hidden="true" /> : <ChevronRight className="icon xs" aria-hidden="true" /> : <span />}
              {row.more === undefined ? <Value row={row} /> : <span className="link">{t.data.more(row.more)}</span>}
              {onInsert && row.more === undefined ? (
                <button
                  type="button"
                  className="btn btn-quiet btn-sm tree-act"
                  tabIndex={-1}
                  onClick={(event) => {
                    event.stopPropagation();
                    onInsert(expression(row));
                  }}
                >
                  {t.data.insert}
                </button>
              ) : (
                <span className="ty">{typeName(row.value)}</span>
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function firstOpen(value: Json): ReadonlySet<string> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return new Set();
  const names = Object.entries(value).filter(([, inner]) => typeof inner === "object" && inner !== null && JSON.stringify(inner).length < 4000);
  return new Set(names.slice(0, 3).map(([name]) => pathKey([name])));
}

function typeName(value: Json): string {
  if (value === null) return t.data.type.null;
  if (Array.isArray(value)) return t.data.list(value.length);
  return t.data.type[typeof value as "string" | "number" | "boolean" | "object"];
}

function Value({ row }: { row: Row }) {
  const { value } = row;
  const name = row.key === "" ? null : <span className="ky">{row.key}</span>;
  const text =
    typeof value === "string" ? <span className="s">{JSON.stringify(value.length > 300 ? `${value.slice(0, 300)}…` : value)}</span>
    : value === null || typeof value !== "object" ? <span className="n">{String(value)}</span>
    : row.open ? null
    : <span className="t3">{Array.isArray(value) ? t.data.list(value.length) : t.data.keys(Object.keys(value).length)}</span>;
  return (
    <span className="clip">
      {name}
      {name && text && ": "}
      {text}
    </span>
  );
}

function SchemaList({ value, search, label }: { value: Json; search: string; label: string }) {
  const rows = useMemo(() => schemaOf(value).filter((row) => row.path.toLowerCase().includes(search.toLowerCase())), [value, search]);
  return (
    <ul className="tree data-tree" aria-label={label} tabIndex={0}>
      {rows.slice(0, 500).map((row) => (
        <li key={row.path} style={{ "--d": row.depth } as React.CSSProperties} title={row.path}>
          <span />
          <span className="clip">
            <span className="ky">{row.name}</span> <span className="t3">{describe(row.example)}</span>
          </span>
          <span className="ty">
            {row.types.map((type) => t.data.type[type as keyof typeof t.data.type]).join(", ")}
            {row.share < 1 && ` ${t.data.of(`${Math.round(row.share * 100)} %`)}`}
          </span>
        </li>
      ))}
    </ul>
  );
}

function DataTable({ value, label }: { value: Json; label: string }) {
  const table = useMemo(() => tableOf(value), [value]);
  const box = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({ count: table?.rows.length ?? 0, getScrollElement: () => box.current, estimateSize: () => 28, overscan: 8 });
  if (!table) return <p className="help data-none">{t.data.notList}</p>;
  const columns = `56px repeat(${table.columns.length}, minmax(96px, 1fr))`;
  return (
    <div ref={box} className="data-table" role="table" aria-label={label} aria-rowcount={table.rows.length} tabIndex={0}>
      <div role="row" className="data-row data-row-head" style={{ gridTemplateColumns: columns }}>
        <span role="columnheader">#</span>
        {table.columns.map((name) => (
          <span key={name} role="columnheader" className="clip">
            {name}
          </span>
        ))}
      </div>
      <div style={{ height: virtual.getTotalSize(), position: "relative" }} role="rowgroup">
        {virtual.getVirtualItems().map(({ index, start }) => (
          <div key={index} role="row" className="data-row" style={{ transform: `translateY(${start}px)`, gridTemplateColumns: columns, position: "absolute", insetInline: 0 }}>
            <span role="cell" className="t3">
              {formatNumber(index)}
            </span>
            {table.rows[index]!.map((cell, column) => (
              <span key={column} role="cell" className="clip" title={typeof cell === "string" ? cell : undefined}>
                {cell === null ? <span className="t3">{t.app.none}</span> : typeof cell === "object" ? <span className="t3">{describe(cell)}</span> : String(cell)}
              </span>
            ))}
          </div>
        ))}
      </div>
    </div>
  );
}
