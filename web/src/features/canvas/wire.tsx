/** An edge: right angles with 8 px corners, its trunk half-way between the columns (visual language section 4). */
import { BaseEdge, EdgeLabelRenderer, getSmoothStepPath, type EdgeProps } from "@xyflow/react";
import { Plus } from "lucide-react";
import { memo } from "react";

import { formatNumber } from "../../lib/format";
import { t } from "../../text";
import { useCanvasActions, useEdgeButtons } from "./actions";
import type { CanvasEdge } from "./derive";

export const Wire = memo(function Wire({ id, source, target, sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition, data, selected, interactionWidth }: EdgeProps<CanvasEdge>) {
  // A handle is wider than what it shows: start at the ring's rim, end at the tick.
  const [startX, endX] = [sourceX - 6, targetX + 5];
  const [path, labelX, labelY] = getSmoothStepPath({ sourceX: startX, sourceY, targetX: endX, targetY, sourcePosition, targetPosition, borderRadius: 8, offset: 16 });
  const { insertOn } = useCanvasActions();
  const buttons = useEdgeButtons();
  const countX = startX + (endX - startX) * 0.78;
  return (
    <>
      <BaseEdge id={id} path={path} interactionWidth={interactionWidth ?? 16} />
      {data && data.count !== null && data.count > 1 && (
        <EdgeLabelRenderer>
          <span className="edge-count" style={{ transform: `translate(${countX}px, ${targetY}px)` }}>
            {formatNumber(data.count)}
          </span>
        </EdgeLabelRenderer>
      )}
      {data && !data.readOnly && (buttons || selected) && (
        <EdgeLabelRenderer>
          <button
            type="button"
            className={selected ? "edge-add is-shown nodrag nopan" : "edge-add nodrag nopan"}
            style={{ transform: `translate(${labelX}px, ${labelY}px)` }}
            tabIndex={selected ? 0 : -1}
            aria-label={t.node.insertBetween(source, target)}
            onClick={() => insertOn({ source: data.source, port: data.port, target }, labelX, labelY)}
          >
            <Plus className="icon" aria-hidden="true" />
          </button>
        </EdgeLabelRenderer>
      )}
    </>
  );
});

export const edgeTypes = { wire: Wire };
