// A rule as it stands in its file.

/// The conditions of a rule as it is written, without the key `when` and its indent; "" for none.
export function whenOf(yaml) {
  const lines = (yaml ?? "").split("\n");
  const at = lines.findIndex((line) => line.startsWith("when:"));
  if (at < 0) return "";
  const length = lines.slice(at + 1).findIndex((line) => /^\S/.test(line));
  const inside = lines.slice(at + 1, length < 0 ? undefined : at + 1 + length).filter((line) => line.trim() !== "");
  const indent = Math.min(...inside.map((line) => line.length - line.trimStart().length));
  const first = lines[at].slice("when:".length).trim();
  return [...(first === "" ? [] : [first]), ...inside.map((line) => line.slice(indent))].join("\n");
}
