import { Field } from "../../../ui/controls";

/** One of a few named ways, in the words people use for them. */
export function Choice<V extends string>({ id, label, value, choices, words, onChange }: { id: string; label: string; value: string; choices: readonly V[]; words: Record<V, string>; onChange: (value: V) => void }) {
  return (
    <Field label={label} id={id}>
      <select id={id} className="input select" value={value} onChange={(event) => onChange(event.target.value as V)}>
        {choices.map((choice) => (
          <option key={choice} value={choice}>
            {words[choice]}
          </option>
        ))}
      </select>
    </Field>
  );
}
