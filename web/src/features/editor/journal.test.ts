import { openDB } from "idb";
import { beforeEach, describe, expect, it, vi } from "vitest";

import type { WorkflowDocument } from "../../graph/document";
import { edit, startHistory, undo, type History } from "../../graph/history";

const document: WorkflowDocument = { name: "W", steps: [{ id: "a", step_type: "noop" }] };
const renamed = (history: History, name: string): History => edit(history, name, (draft) => void (draft.steps[0]!.name = name));

describe("the journal", () => {
  beforeEach(() => {
    vi.resetModules();
    vi.stubGlobal("indexedDB", new IDBFactory());
    sessionStorage.clear();
  });
  const load = () => import("./journal");
  const contents = async (store: string) => (await openDB("flowpilot")).getAllKeys(store);

  it("gives back the document with its whole history", async () => {
    const { JournalWriter, findRecord } = await load();
    const writer = new JournalWriter();
    let history = startHistory(document);
    for (const name of ["one", "two", "three"]) history = renamed(history, name);
    history = undo(history);
    writer.write({ workflow: "w", revision: 3, saved: false, ...history });
    await writer.settled();
    const found = (await findRecord("w"))!;
    expect(found).toMatchObject({ revision: 3, saved: false, document: history.document });
    expect([found.past, found.future]).toEqual([history.past, history.future]);
    expect(undo(undo(found)).document).toEqual(document);
    expect(await findRecord("other")).toBeNull();
  });

  it("stores each edit once, and drops those no longer in the history", async () => {
    const { JournalWriter } = await load();
    const writer = new JournalWriter();
    let history = renamed(renamed(startHistory(document), "one"), "two");
    writer.write({ workflow: "w", revision: 1, saved: false, ...history });
    await writer.settled();
    const before = await contents("edits");
    expect(before).toHaveLength(2);
    history = renamed(history, "three");
    writer.write({ workflow: "w", revision: 1, saved: false, ...history });
    await writer.settled();
    expect((await contents("edits")).slice(0, 2)).toEqual(before);
    history = renamed(undo(undo(history)), "other"); // what was undone is gone
    writer.write({ workflow: "w", revision: 1, saved: false, ...history });
    await writer.settled();
    expect(await contents("edits")).toHaveLength(2);
  });

  it("goes on with the edits of the page before it", async () => {
    const first = await load();
    const writer = new first.JournalWriter();
    writer.write({ workflow: "w", revision: 1, saved: false, ...renamed(startHistory(document), "one") });
    await writer.settled();
    vi.resetModules(); // the page is loaded again
    const { JournalWriter, findRecord } = await load();
    const found = (await findRecord("w"))!;
    const again = new JournalWriter();
    again.write({ workflow: "w", revision: 1, saved: false, ...renamed(found, "two") });
    await again.settled();
    expect(await contents("edits")).toHaveLength(2);
    expect((await findRecord("w"))!.past.map(({ label }) => label)).toEqual(["one", "two"]);
  });

  it("reads what an earlier version of the page has left", async () => {
    const { past } = renamed(startHistory(document), "one");
    const old = await openDB("flowpilot", 1, { upgrade: (db) => void db.createObjectStore("journal", { keyPath: "key" }).createIndex("workflow", "workflow") });
    await old.put("journal", { key: "w/gone", workflow: "w", tab: "gone", revision: 1, saved: false, document, past, future: [], at: 1 });
    old.close();
    const { findRecord, dropRecord } = await load();
    expect((await findRecord("w"))!.past).toEqual(past);
    await dropRecord("w/gone");
    expect(await findRecord("w")).toBeNull();
  });
});
