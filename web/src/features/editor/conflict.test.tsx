import { fireEvent, screen } from "@testing-library/react";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";

import type { Workflow } from "../../api/client";
import { diffDocuments } from "../../graph/diff";
import type { WorkflowDocument } from "../../graph/document";
import { show } from "../../test_kit";
import { ConflictDialog, listDifferences } from "./conflict";
import type { Saver } from "./saver";
import { createEditor, EditorProvider } from "./store";

const documents = fc
  .record({ description: fc.option(fc.string({ maxLength: 3 }), { nil: undefined }), steps: fc.uniqueArray(fc.record({ id: fc.constantFrom("a", "b", "c", "d"), message: fc.constantFrom("x", "y"), name: fc.option(fc.constantFrom("N", "M"), { nil: undefined }) }), { selector: ({ id }) => id }) })
  .map(({ description, steps }): WorkflowDocument => ({
    name: "W",
    ...(description === undefined ? {} : { description }),
    steps: steps.map(({ id, message, name }) => ({ id, step_type: "log", config: { message }, ...(name === undefined ? {} : { name }) })),
  }));

describe("differences of two drafts", () => {
  it("taken over all together make the other one", () => {
    fc.assert(
      fc.property(documents, documents, (mine, theirs) => {
        const next = structuredClone(mine);
        for (const difference of listDifferences(mine, theirs)) difference.apply(next);
        const left = diffDocuments(next, theirs);
        expect([left.added.size, left.removed.size, left.changed.size, left.settings.length]).toEqual([0, 0, 0, 0]);
      }),
    );
  });

  it("are none between the same", () => {
    fc.assert(
      fc.property(documents, (document) => {
        expect(listDifferences(document, structuredClone(document))).toEqual([]);
      }),
    );
  });
});

it("lets each field be chosen, keeps mine by itself, and drops nothing", () => {
  const mine: WorkflowDocument = { name: "W", steps: [{ id: "a", name: "Mine", step_type: "log", config: { message: "mine" } }] };
  const theirs: WorkflowDocument = { name: "W", steps: [{ id: "a", name: "Theirs", step_type: "log", config: { message: "theirs" } }, { id: "b", step_type: "noop" }] };
  const editor = createEditor({ id: "w", revision: 1, issues: [], ...mine } as unknown as Workflow);
  editor.setState({ saveState: "conflict", conflict: { theirs, revision: 5 } });
  const rebase = vi.fn();
  show(
    <EditorProvider value={editor}>
      <ConflictDialog saver={{ rebase } as unknown as Saver} />
    </EditorProvider>,
  );
  const rows = screen.getAllByRole("listitem", { hidden: true });
  expect(rows).toHaveLength(3);
  const message = rows.find((row) => row.textContent!.includes("config.message"))!;
  fireEvent.click(message.querySelectorAll("input")[1]!);
  fireEvent.click(screen.getByRole("button", { name: "Save the choice", hidden: true }));
  expect(editor.getState().history.document.steps).toEqual([{ id: "a", name: "Mine", step_type: "log", config: { message: "theirs" } }]);
  expect(editor.getState().history.past.at(-1)!.label).toBe("take over changes from elsewhere");
  expect(rebase.mock.calls[0]![0]).toMatchObject({ revision: 5 });
});
