import { expect, it } from "vitest";

import { fingerprint, groupByError } from "./fingerprint";

it("leaves out of an error what differs each time", () => {
  const a = fingerprint('user 17 "ada" not found at 2026-01-01T00:00:00.123Z (request 0f3c5d2e-1111-7222-8333-444455556666)');
  expect(a).toBe(fingerprint('user 4 "bob" not found at 2027-12-31T10:20:30Z (request aaaaaaaa-1111-7222-8333-bbbbbbbbbbbb)'));
  expect(a).not.toBe(fingerprint('user 4 "bob" refused'));
});

it("groups by workflow and error, the most frequent first", () => {
  const row = (workflow_name: string, error_message: string | null) => ({ workflow_name, error_message });
  const groups = groupByError([row("A", "no 1"), row("B", "no 1"), row("A", null), row("B", "no 2"), row("B", "yes")]);
  expect(groups.map(({ rows }) => rows.length)).toEqual([2, 1, 1]);
  expect(groups[0]!.rows[0]!.workflow_name).toBe("B");
});
