/** Which item of the list the fields below are tried with. */
import { ChevronLeft, ChevronRight } from "lucide-react";

import { formatNumber } from "../../../lib/format";
import { t } from "../../../text";
import { Button } from "../../../ui/controls";
import type { ItemChoice } from "./use_scope";

export function ItemPicker({ items: { index, count, choose } }: { items: ItemChoice }) {
  return (
    <div className="row item-choice" role="group" aria-label={t.panel.item}>
      <span className="help grow" role="status">
        {t.panel.itemOf(formatNumber(index + 1), formatNumber(count))}
      </span>
      <Button kind="quiet" size="sm" icon label={t.panel.itemBefore} disabled={index === 0} onClick={() => choose(index - 1)}>
        <ChevronLeft className="icon sm" aria-hidden="true" />
      </Button>
      <Button kind="quiet" size="sm" icon label={t.panel.itemAfter} disabled={index >= count - 1} onClick={() => choose(index + 1)}>
        <ChevronRight className="icon sm" aria-hidden="true" />
      </Button>
    </div>
  );
}
