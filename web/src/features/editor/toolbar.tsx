import { useStore } from "@xyflow/react";
import { Flame, Hand, ListTree, Maximize, Minus, MousePointer2, Network, Plus, StickyNote } from "lucide-react";
import type { RefObject } from "react";

import { t } from "../../text";
import { Button } from "../../ui/controls";
import type { CanvasHandle, Mode } from "./canvas";
import { useEditor, useEditorState } from "./store";
import { prepareTidy } from "./tidy";

/** The floating bar of the canvas. */
export function Toolbar({ canvas, mode, onMode, readOnly, onOutline, outline }: { canvas: RefObject<CanvasHandle | null>; mode: Mode; onMode: (mode: Mode) => void; readOnly: boolean; onOutline: () => void; outline: boolean }) {
  const editor = useEditor();
  const heat = useEditorState((state) => state.heat);
  const running = useEditorState((state) => state.execution !== null);
  const zoom = useStore((state) => Math.round(state.transform[2] * 100));
  return (
    <div className="float toolbar" role="toolbar" aria-label={t.editor.canvas}>
      <Button className="hide-narrow" kind="quiet" icon label={t.editor.select} keys="V" aria-pressed={mode === "select"} onClick={() => onMode("select")}>
        <MousePointer2 className="icon" aria-hidden="true" />
      </Button>
      <Button className="hide-narrow" kind="quiet" icon label={t.editor.pan} keys="H" aria-pressed={mode === "pan"} onClick={() => onMode("pan")}>
        <Hand className="icon" aria-hidden="true" />
      </Button>
      {!readOnly && (
        <>
          <span className="bar-sep" />
          <Button kind="quiet" title={t.editor.addStep} keys="N" onClick={() => canvas.current?.quickAdd()}>
            <Plus className="icon" aria-hidden="true" />
            {t.editor.step} <kbd className="kbd">N</kbd>
          </Button>
          <Button kind="quiet" icon label={t.editor.addNote} keys="Shift+S" onClick={() => canvas.current?.addNote()}>
            <StickyNote className="icon" aria-hidden="true" />
          </Button>
          <Button kind="quiet" icon label={t.editor.tidy} keys="Alt+Shift+T" onPointerEnter={prepareTidy} onFocus={prepareTidy} onClick={() => void canvas.current?.tidy()}>
            <Network className="icon" aria-hidden="true" />
          </Button>
        </>
      )}
      <Button kind="quiet" icon label={t.editor.outline} keys="Shift+O" aria-pressed={outline} onClick={onOutline}>
        <ListTree className="icon" aria-hidden="true" />
      </Button>
      {running && (
        <Button kind="quiet" icon label={t.editor.heat} keys="Shift+H" aria-pressed={heat} onClick={() => editor.setState({ heat: !heat })}>
          <Flame className="icon" aria-hidden="true" />
        </Button>
      )}
      <span className="bar-sep" />
      <Button kind="quiet" icon label={t.editor.zoomOut} keys="-" onClick={() => canvas.current?.zoom("out")}>
        <Minus className="icon" aria-hidden="true" />
      </Button>
      <Button kind="quiet" className="zoom-now" aria-label={t.editor.zoomNow(zoom)} title={t.editor.zoomTo100} keys="0" onClick={() => canvas.current?.zoom(1)}>
        {zoom} %
      </Button>
      <Button kind="quiet" icon label={t.editor.zoomIn} keys="+" onClick={() => canvas.current?.zoom("in")}>
        <Plus className="icon" aria-hidden="true" />
      </Button>
      <Button kind="quiet" icon label={t.editor.fit} keys="1" onClick={() => canvas.current?.fit()}>
        <Maximize className="icon" aria-hidden="true" />
      </Button>
    </div>
  );
}
