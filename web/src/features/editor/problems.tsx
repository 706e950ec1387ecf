import { ChevronDown, ChevronUp } from "lucide-react";
import { useState } from "react";

import { findStep } from "../../graph/document";
import { t } from "../../text";
import { Button } from "../../ui/controls";
import { StatusGlyph } from "../../ui/status";
import { useEditorState, type Problem } from "./store";

/** The strip below the canvas: how many problems, the current one in words, and the way to each. */
export function ProblemStrip({ current, onGo, onNext }: { current: number; onGo: (problem: Problem, index: number) => void; onNext: () => void }) {
  const problems = useEditorState((state) => state.problems);
  const document = useEditorState((state) => state.history.document);
  const [open, setOpen] = useState(false);
  const nameOf = (problem: Problem): string => (problem.step ? (findStep(document, problem.step)?.name ?? problem.step) : t.editor.wholeWorkflow);
  const shown = problems[Math.min(current, problems.length - 1)];
  return (
    <div>
      {open && problems.length > 0 && (
        <ul className="problem-list" aria-label={t.editor.problems(problems.length)}>
          {problems.map((problem, index) => (
            <li key={index}>
              <button type="button" onClick={() => onGo(problem, index)}>
                <StatusGlyph status="failed" className="sm" />
                <b className="clip">{nameOf(problem)}</b>
                <span className="clip">{problem.message}</span>
                <code className="t3">{problem.field ?? problem.pointer}</code>
              </button>
            </li>
          ))}
        </ul>
      )}
      <footer className="strip" aria-label={t.editor.problems(problems.length)}>
        {problems.length === 0 ? (
          <span className="cnt t3">
            <StatusGlyph status="completed" />
            {t.editor.noProblems}
          </span>
        ) : (
          <>
            <span className="cnt">
              <StatusGlyph status="failed" />
              {t.editor.problems(problems.length)}
            </span>
            <span className="bar-sep" />
            {shown && (
              <button type="button" className="clip" onClick={() => onGo(shown, problems.indexOf(shown))}>
                <b>{nameOf(shown)}</b> <span className="t3">{shown.field}</span> {shown.message}
              </button>
            )}
            <span className="grow" />
            <Button size="sm" kind="quiet" onClick={onNext}>
              {t.editor.nextProblem} <kbd className="kbd">F8</kbd>
            </Button>
            <Button size="sm" kind="quiet" icon label={open ? t.editor.hideProblems : t.editor.showProblems} aria-expanded={open} onClick={() => setOpen(!open)}>
              {open ? <ChevronDown className="icon sm" aria-hidden="true" /> : <ChevronUp className="icon sm" aria-hidden="true" />}
            </Button>
          </>
        )}
      </footer>
    </div>
  );
}
