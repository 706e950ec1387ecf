import { fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Execution } from "../../api/client";
import { problem, serve, show, type Call } from "../../test_kit";
import { RetryDialog } from "./retry_dialog";

const navigate = vi.fn();
vi.mock("@tanstack/react-router", () => ({ useNavigate: () => navigate }));
vi.mock("../../ui/code", () => ({ CodeField: ({ value, onChange, label }: { value: string; onChange: (text: string) => void; label: string }) => <textarea aria-label={label} value={value} onChange={(event) => onChange(event.target.value)} /> }));

const document = { name: "W", steps: [{ id: "a", name: "First", step_type: "noop" }, { id: "b", name: "Second", step_type: "noop", depends_on: ["a"] }] };
const execution = (change: Partial<Execution> = {}): Execution => ({ id: "e1", status: "failed", workflow_version: 3, input: { n: 1 }, tasks: [], ...change }) as unknown as Execution;
const planned = { run: ["b"], reuse: [{ step: "a", source: "e1" }], skip: [], repeats: [{ step: "b", reason: "" }] };

describe("the retry dialog", () => {
  let calls: Call[];
  const onPlan = vi.fn();
  const onClose = vi.fn();
  beforeEach(() => {
    calls = serve(({ body }) => ({ body: (body as { dry_run?: boolean }).dry_run ? planned : execution({ id: "e2" }) }));
  });
  afterEach(() => {
    vi.clearAllMocks();
    vi.unstubAllGlobals();
  });
  const open = (change: Partial<Execution> = {}, published: number | null = 4): void => void show(<RetryDialog execution={execution(change)} document={document} published={published} onPlan={onPlan} onClose={onClose} initialStep={null} />);
  const choose = (name: string): void => void fireEvent.click(screen.getByRole("radio", { name }));
  const lastBody = () => calls.at(-1)!.body;

  it("shows the server's plan before anything starts", async () => {
    open();
    await screen.findByText("reuse 1, run 1");
    expect(lastBody()).toEqual({ from: "failed", version: "same", dry_run: true });
    expect(onPlan).toHaveBeenLastCalledWith(planned);
    expect(screen.getByText("Same execution, same id")).toBeTruthy();
    expect(screen.getByText(/same idempotency key/)).toBeTruthy();
    expect(screen.getByRole("button", { name: "Run 1 step" })).toBeTruthy();
  });

  for (const [from, fromBody] of [["Failed step", "failed"], ["Start", "start"], ["Step", "a"]] as const)
    for (const [version, versionBody] of [["Same v3", "same"], ["Live v4", "published"], ["Draft", "draft"]] as const)
      it(`asks for ${from} with ${version}`, async () => {
        open();
        choose(from);
        choose(version);
        await waitFor(() => expect(lastBody()).toEqual({ from: fromBody, version: versionBody, dry_run: true }));
        await screen.findByText("reuse 1, run 1");
        fireEvent.click(screen.getByRole("button", { name: "Run 1 step" }));
        await waitFor(() => expect(navigate).toHaveBeenCalledWith({ to: "/executions/$id", params: { id: "e2" } }));
        expect(lastBody()).toEqual({ from: fromBody, version: versionBody });
        expect(calls.at(-1)!.headers.get("idempotency-key")).toBeTruthy();
        expect(onClose).toHaveBeenCalled();
      });

  it("takes another input only from the start, and only when it is JSON", async () => {
    open();
    expect(screen.getByRole<HTMLButtonElement>("radio", { name: "Edited" }).disabled).toBe(true);
    choose("Start");
    choose("Edited");
    fireEvent.change(screen.getByLabelText("Input", { selector: "textarea" }), { target: { value: "{" } });
    expect(screen.getByText("The input is no valid JSON.")).toBeTruthy();
    fireEvent.change(screen.getByLabelText("Input", { selector: "textarea" }), { target: { value: '{"n": 2}' } });
    await waitFor(() => expect(lastBody()).toEqual({ from: "start", version: "same", input: { n: 2 }, dry_run: true }));
  });

  it("offers no failed step where none failed, and no live version where there is none", () => {
    open({ status: "completed" }, null);
    expect(screen.getByRole<HTMLButtonElement>("radio", { name: "Failed step" }).disabled).toBe(true);
    expect(screen.getByRole<HTMLButtonElement>("radio", { name: "Live" }).disabled).toBe(true);
  });

  it("says why there is no plan", async () => {
    calls = serve(() => problem(409, "execution.running"));
    open();
    await screen.findByText("execution.running happened");
    fireEvent.keyDown(screen.getByRole("dialog"), { key: "Escape" });
    expect(onClose).toHaveBeenCalled();
  });
});
