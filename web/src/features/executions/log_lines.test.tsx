import { act, fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";

import type { LogLine } from "../../api/client";
import { serve, show } from "../../test_kit";
import { LogPages, searchBack } from "./log_lines";
import { LogView } from "./log_view";
import { scaleOf } from "./log_window";

const line = (number: number, text = `line ${number}`): LogLine => ({ number, at: "2026-01-01T00:00:00Z", level: "info", step: "a", index: null, attempt: 1, text }) as LogLine;
const from = (after: number, count: number): LogLine[] => Array.from({ length: count }, (_, index) => line(after + index + 1));

describe("pages of a log", () => {
  it("are fetched once, where one looks", async () => {
    const fetch = vi.fn(async (after: number) => from(after, 1000));
    const pages = new LogPages(fetch);
    expect(pages.line(5)).toBeNull();
    const [first, second] = await Promise.all([pages.ask(990, 1010), pages.ask(995, 1005)]);
    expect([first, second]).toEqual([true, false]);
    expect(fetch.mock.calls.map(([after]) => after)).toEqual([0, 1000]);
    expect(pages.line(1)!.text).toBe("line 1");
    expect(pages.line(2000)!.text).toBe("line 2000");
    expect(await pages.ask(1, 2000)).toBe(false);
  });

  it("are made whole when only their end is known", async () => {
    const fetch = vi.fn(async (after: number) => from(after, 1000));
    const pages = new LogPages(fetch);
    pages.put(from(1500, 400));
    expect(await pages.ask(1600, 1700)).toBe(false);
    expect(await pages.ask(1400, 1600)).toBe(true);
    expect(pages.line(1400)!.number).toBe(1400);
  });

  it("are dropped when they are far from what one reads", async () => {
    const pages = new LogPages(async (after) => from(after, 1000));
    for (let number = 1; number < 200_000; number += 1000) await pages.ask(number, number + 10);
    expect(pages.line(1)).toBeNull();
    expect(pages.line(199_001)).not.toBeNull();
  });
});

it("looks further and further back for what fits", async () => {
  const asked: number[] = [];
  const found = await searchBack(async ({ after }) => {
    asked.push(after);
    return after < 3000 ? [line(3000)] : [];
  }, 9000);
  expect(found).toEqual({ lines: [line(3000)], start: 2000 });
  expect(asked).toEqual([8000, 6000, 2000]);
  expect(await searchBack(async () => [], 5000)).toEqual({ lines: [], start: null });
});

it("scales the bar of a log too long for a browser, and reaches both its ends", () => {
  const small = scaleOf(100, 600);
  expect([small.height, small.toTop(50)]).toEqual([2000, 50]);
  const large = scaleOf(2_000_000, 600);
  expect(large.height).toBe(12_000_000);
  expect(large.toTop(large.height - 600)).toBeCloseTo(40_000_000 - 600);
  expect(large.toScroll(large.toTop(1234))).toBeCloseTo(1234);
});

describe("the log view", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("opens at the end, and asks the server to search all lines", async () => {
    const calls = serve(({ query }) => ({ body: { next: null, results: query.get("search") === "needle" ? [line(7, "the needle")] : query.get("tail") ? from(999_000, 1000) : from(Number(query.get("after")), 1000) } }));
    show(<LogView id="e" live={false} step={null} />);
    await screen.findByText("1,000,000 lines");
    expect(calls[0]!.query.get("tail")).toBe("1000");
    fireEvent.change(screen.getByRole("searchbox"), { target: { value: "needle" } });
    await screen.findByText("1 found");
    await screen.findByText("the needle");
    fireEvent.change(screen.getByRole("searchbox"), { target: { value: "" } });
    fireEvent.change(screen.getByRole("combobox"), { target: { value: "error" } });
    await waitFor(() => expect(calls.at(-1)!.query.get("level")).toBe("error"));
  });

  it("copies the lines that were chosen, also those that are not here", async () => {
    serve(({ query }) => ({ body: { next: null, results: query.get("tail") ? from(4000, 1000) : from(Number(query.get("after")), 1000) } }));
    const writeText = vi.fn(async (_text: string) => {});
    vi.stubGlobal("navigator", { ...navigator, clipboard: { writeText } });
    const { container } = show(<LogView id="e" live={false} step={null} />);
    await screen.findByText("5,000 lines");
    const rows = await waitFor(() => {
      const found = container.querySelectorAll<HTMLElement>("[data-line]");
      expect(found.length).toBeGreaterThan(3);
      return found;
    });
    const numbers = [...rows].map((row) => Number(row.dataset.line));
    fireEvent.click(rows[2]!);
    fireEvent.click(rows[0]!, { shiftKey: true });
    await act(async () => fireEvent.click(screen.getByRole("button", { name: "Copy the chosen lines" })));
    await waitFor(() => expect(writeText).toHaveBeenCalled());
    expect(writeText.mock.calls[0]![0].split("\n").map((text) => Number(/line (\d+)$/.exec(text)![1]))).toEqual(numbers.slice(0, 3));
  });

  it("says when nothing was written, or nothing fits", async () => {
    serve(() => ({ body: { next: null, results: [] } }));
    show(<LogView id="e" live={false} step="a" />);
    await screen.findByText("No lines yet.");
    fireEvent.change(screen.getByRole("searchbox"), { target: { value: "x" } });
    await screen.findByText("No line fits.");
  });
});
