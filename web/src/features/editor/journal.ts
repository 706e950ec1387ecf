/**
 * Edits are kept in IndexedDB as they are made, one record for each workflow and tab, until the server has them. The record holds the document and
 * names its edits by number; each edit is written once, so that a long history costs nothing when one more is made.
 */
import { openDB, type IDBPDatabase } from "idb";

import type { WorkflowDocument } from "../../graph/document";
import type { Edit } from "../../graph/history";

export type JournalRecord = {
  key: string;
  workflow: string;
  tab: string;
  revision: number; // of the server's draft that the edits stand on
  saved: boolean; // the server has them all
  document: WorkflowDocument;
  past: Edit[];
  future: Edit[];
  at: number;
};

type StoredRecord = Omit<JournalRecord, "past" | "future"> & { past: (number | Edit)[]; future: (number | Edit)[] }; // edits inside: as version 1 had them

const keptEdits = 300;
let database: Promise<IDBPDatabase> | undefined;

function open(): Promise<IDBPDatabase> {
  database ??= openDB("flowpilot", 2, {
    upgrade(db, version) {
      if (version < 1) db.createObjectStore("journal", { keyPath: "key" }).createIndex("workflow", "workflow");
      if (version < 2) db.createObjectStore("edits"); // by [key of the record, number]
    },
    blocking(_version, _blocked, event) {
      (event.target as IDBDatabase).close(); // a newer page wants to change it
      database = undefined;
    },
  });
  return database;
}

/** This tab's name, the same after a reload; the lock it holds tells other tabs that it lives. */
export const tabId: string = (() => {
  try {
    const known = sessionStorage.getItem("flowpilot.tab");
    const id = known ?? crypto.randomUUID();
    sessionStorage.setItem("flowpilot.tab", id);
    return id;
  } catch {
    return crypto.randomUUID();
  }
})();

export function holdTabLock(): void {
  void navigator.locks?.request(`flowpilot-tab-${tabId}`, () => new Promise(() => {}));
}

async function livingTabs(): Promise<Set<string>> {
  const held = (await navigator.locks?.query())?.held ?? [];
  return new Set(held.flatMap((lock) => (lock.name?.startsWith("flowpilot-tab-") ? [lock.name.slice("flowpilot-tab-".length)] : [])));
}

/** Numbers of the edits that are stored, for each record. */
const stored = new Map<string, Map<Edit, number>>();

/** The newest record of this workflow that no other living tab is working on: this tab's own, or one left behind by a tab that is gone. */
export async function findRecord(workflow: string): Promise<JournalRecord | null> {
  const db = await open();
  const [records, living] = await Promise.all([db.getAllFromIndex("journal", "workflow", workflow) as Promise<StoredRecord[]>, livingTabs()]);
  const free = records.filter((record) => record.tab === tabId || !living.has(record.tab)).sort((a, b) => b.at - a.at);
  const found = free.find((record) => record.tab === tabId) ?? free.find((record) => !record.saved);
  if (!found) return null;
  const range = IDBKeyRange.bound([found.key], [found.key, []]);
  const [names, values] = await Promise.all([db.getAllKeys("edits", range) as Promise<unknown> as Promise<[string, number][]>, db.getAll("edits", range) as Promise<Edit[]>]);
  const byNumber = new Map(names.map(([, number], index) => [number, values[index]!]));
  stored.set(found.key, new Map([...byNumber].map(([number, edit]) => [edit, number])));
  const edits = (list: StoredRecord["past"]): Edit[] => list.flatMap((entry) => (typeof entry !== "number" ? [entry] : byNumber.has(entry) ? [byNumber.get(entry)!] : []));
  return { ...found, past: edits(found.past), future: edits(found.future) };
}

export async function dropRecord(key: string): Promise<void> {
  const transaction = (await open()).transaction(["journal", "edits"], "readwrite");
  void transaction.objectStore("journal").delete(key);
  void transaction.objectStore("edits").delete(IDBKeyRange.bound([key], [key, []]));
  stored.delete(key);
  await transaction.done;
}

/** Writes records one after the other; while one is being written only the newest of those that follow is kept. */
export class JournalWriter {
  private next: JournalRecord | null = null;
  private busy: Promise<void> | null = null;
  private count = Date.now() * 1000; // numbers go on where another page of this tab left off

  write(record: Omit<JournalRecord, "key" | "tab" | "at">): void {
    this.next = { ...record, key: `${record.workflow}/${tabId}`, tab: tabId, at: Date.now(), past: record.past.slice(-keptEdits), future: record.future.slice(-keptEdits) };
    this.busy ??= this.drain();
  }

  /** Resolves once everything given so far is stored. */
  async settled(): Promise<void> {
    while (this.busy) await this.busy;
  }

  private async drain(): Promise<void> {
    try {
      await new Promise((done) => setTimeout(done)); // first what the person sees of the edit
      const db = await open();
      for (let record = this.next; record; record = this.next) {
        this.next = null;
        await this.put(db, record);
      }
    } finally {
      this.busy = null;
    }
  }

  private async put(db: IDBPDatabase, record: JournalRecord): Promise<void> {
    const known = stored.get(record.key) ?? new Map<Edit, number>();
    const now = new Map<Edit, number>();
    const transaction = db.transaction(["journal", "edits"], "readwrite");
    const edits = transaction.objectStore("edits");
    for (const edit of [...record.past, ...record.future]) {
      const number = known.get(edit) ?? ++this.count;
      now.set(edit, number);
      if (!known.has(edit)) void edits.put(edit, [record.key, number]);
    }
    for (const [edit, number] of known) if (!now.has(edit)) void edits.delete([record.key, number]);
    const numbers = (list: readonly Edit[]): number[] => list.map((edit) => now.get(edit)!);
    void transaction.objectStore("journal").put({ ...record, past: numbers(record.past), future: numbers(record.future) } satisfies StoredRecord);
    await transaction.done;
    stored.set(record.key, now);
  }
}
