import { fireEvent, screen, waitFor } from "@testing-library/react";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";

import { lookUp } from "../../graph/completion";
import type { Json } from "../../graph/document";
import { show } from "../../test_kit";
import { flatten, pathKey, schemaOf, searchIn, tableOf } from "./rows";
import { DataViewer } from "./viewer";

const value: Json = { user: { name: "Ada", tags: ["admin", "early"] }, rows: Array.from({ length: 500 }, (_, id) => ({ id, even: id % 2 === 0, ...(id < 100 ? { note: "x" } : {}) })), none: null };

describe("rows of a tree", () => {
  it("are those that are open, each with the path that reads its value", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (given) => {
        const json = given as Json;
        const all = new Set<string>();
        for (let before = -1; before !== all.size; ) {
          before = all.size;
          for (const row of flatten(json, all)) if (row.branch) all.add(pathKey(row.path));
        }
        for (const row of flatten(json, all)) if (row.more === undefined) expect(row.path.length === 0 ? json : lookUp(json as { [name: string]: Json }, row.path)).toEqual(row.value);
      }),
    );
  });

  it("show 200 of a long list, and how many more there are", () => {
    const rows = flatten(value, new Set([pathKey(["rows"])]));
    expect(rows.filter(({ path }) => path[0] === "rows" && path.length === 2)).toHaveLength(200);
    expect(rows.find(({ more }) => more !== undefined)!.more).toBe(300);
    expect(flatten(value, new Set([pathKey(["rows"])]), new Map([[pathKey(["rows"]), 2200]])).every(({ more }) => more === undefined)).toBe(true);
  });

  it("are found in names and values, with all that is around them opened", () => {
    const { hits, open } = searchIn(value, "EARLY");
    expect([...hits]).toEqual([pathKey(["user", "tags", 1])]);
    expect([...open]).toEqual([pathKey(["user"]), pathKey(["user", "tags"])]);
    expect(searchIn(value, "note").hits.size).toBe(100);
  });
});

it("tells what lists are made of, and in how many members each name is", () => {
  const rows = schemaOf(value);
  expect(rows.find(({ path }) => path === "rows[].note")).toMatchObject({ types: ["string"], share: 0.5 }); // of the first 200
  expect(rows.find(({ path }) => path === "user.tags[]")).toMatchObject({ types: ["string"] });
});

it("makes a table of the list that is in an object", () => {
  expect(tableOf(value)).toMatchObject({ columns: ["id", "even", "note"] });
  expect(tableOf(value)!.rows).toHaveLength(500);
  expect(tableOf([1, 2])).toEqual({ columns: ["value"], rows: [[1], [2]] });
  expect(tableOf({ a: 1 })).toBeNull();
});

describe("the viewer", () => {
  it("is walked by keyboard, and inserts the path that is current", () => {
    const onInsert = vi.fn();
    show(<DataViewer value={value} base={["steps", "a", "output"]} onInsert={onInsert} label="Output" />);
    const tree = screen.getByRole("tree");
    fireEvent.keyDown(tree, { key: "Enter" });
    expect(onInsert).toHaveBeenLastCalledWith("steps.a.output.user");
    fireEvent.keyDown(tree, { key: "ArrowRight" }); // opens, or is open already
    fireEvent.keyDown(tree, { key: "ArrowDown" });
    fireEvent.keyDown(tree, { key: "Enter" });
    expect(onInsert).toHaveBeenLastCalledWith("steps.a.output.user.name");
    fireEvent.keyDown(tree, { key: "ArrowUp" });
    fireEvent.keyDown(tree, { key: "ArrowLeft" });
    expect(screen.queryByText(/"Ada"/)).toBeNull();
  });

  it("draws the rows on screen alone, of however many there are", () => {
    const { container } = show(<DataViewer value={Array.from({ length: 100_000 }, (_, n) => n)} label="Output" />);
    expect(container.querySelectorAll("[role=treeitem]").length).toBeLessThan(60);
  });

  it("searches", async () => {
    const { container } = show(<DataViewer value={value} label="Output" />);
    fireEvent.click(screen.getByRole("button", { name: "Search this output" }));
    fireEvent.change(screen.getByRole("searchbox"), { target: { value: "early" } });
    await waitFor(() => expect(container.querySelector(".is-hit")!.textContent).toContain("early"));
  });

  it("shows the same value as a table and as a schema", () => {
    show(<DataViewer value={value} label="Output" />);
    fireEvent.click(screen.getByRole("radio", { name: "Table" }));
    expect(screen.getAllByRole("columnheader").map((head) => head.textContent)).toEqual(["#", "id", "even", "note"]);
    fireEvent.click(screen.getByRole("radio", { name: "Schema" }));
    expect(screen.getByText("in 50 %", { exact: false })).toBeTruthy();
  });
});
