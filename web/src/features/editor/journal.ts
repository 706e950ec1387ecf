/** Edits are kept in IndexedDB the moment they are made, one record for each workflow and tab, until the server has them. */
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

const keptEdits = 300;
let database: Promise<IDBPDatabase> | undefined;

function open(): Promise<IDBPDatabase> {
  database ??= openDB("flowpilot", 1, {
    upgrade(db) {
      db.createObjectStore("journal", { keyPath: "key" }).createIndex("workflow", "workflow");
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

/** The newest record of this workflow that no other living tab is working on: this tab's own, or one left behind by a tab that is gone. */
export async function findRecord(workflow: string): Promise<JournalRecord | null> {
  const db = await open();
  const [records, living] = await Promise.all([db.getAllFromIndex("journal", "workflow", workflow) as Promise<JournalRecord[]>, livingTabs()]);
  const free = records.filter((record) => record.tab === tabId || !living.has(record.tab)).sort((a, b) => b.at - a.at);
  return free.find((record) => record.tab === tabId) ?? free.find((record) => !record.saved) ?? null;
}

export async function dropRecord(key: string): Promise<void> {
  await (await open()).delete("journal", key);
}

/** Writes records one after the other; while one is being written only the newest of those that follow is kept. */
export class JournalWriter {
  private next: JournalRecord | null = null;
  private busy: Promise<void> | null = null;

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
      const db = await open();
      for (let record = this.next; record; record = this.next) {
        this.next = null;
        await db.put("journal", record);
      }
    } finally {
      this.busy = null;
    }
  }
}
