// A message as Slack draws it. Nothing in it can be clicked: links show where they would lead.

import {h} from "./dom.js";
import {parseMrkdwn} from "./mrkdwn.js";
import {isSlackMessage, limitsOf, listOf, textOf} from "./block_kit.js";
import {countText} from "./time.js";

export {isSlackMessage};

export function drawSlack(message) {
  const blocks = listOf(message.blocks);
  return h("div", {class: "slack", role: "group", "aria-label": "The message as Slack shows it"},
    h("div", {class: "slack-avatar", "aria-hidden": "true"}),
    h("div", {class: "slack-body"},
      h("div", {class: "slack-name"}, textOf(message.username) || "Your app", h("span", {class: "slack-app"}, "APP")),
      blocks.length > 0 ? blocks.map(drawBlock) :
                          typeof message.text === "string" &&
          h("div", {class: "slack-text"}, message.mrkdwn === false ? message.text : drawText(message.text)),
      listOf(message.attachments).map(drawAttachment)));
}

/// The limits used, as "section text 2,310 of 3,000"; those that are far away in one line.
export function drawLimits(message) {
  const limits = limitsOf(message);
  const isNear = ({used, most}, i) => i < 2 || used > most * 0.2;
  const far = limits.filter((limit, i) => !isNear(limit, i));
  return h("div", {},
    h("ul", {class: "limits"},
      limits.filter(isNear).map(
        ({what, used, most}) => h("li", {class: used > most ? "bad" :
            used > most * 0.9                               ? "wait" :
                                                              null},
          h("meter", {min: "0", max: String(most), value: String(Math.min(used, most)), "aria-hidden": "true"}),
          h("span", {}, what),
          h("span", {}, `${countText(used)} of ${countText(most)}`,
            used > most && h("strong", {}, ": Slack refuses this"))))),
    far.length > 0 &&
      h("p", {class: "muted small"},
        far.map(({what, used, most}) => `${what} ${countText(used)} of ${countText(most)}`).join(" · ")));
}

function drawBlock(block) {
  switch (block?.type) {
    case "header": return h("div", {class: "slack-header"}, textOf(block.text?.text));
    case "divider": return h("hr", {class: "slack-divider"});
    case "section":
      return h("div", {class: "slack-section"}, block.text && h("div", {class: "slack-text"}, drawObject(block.text)),
        Array.isArray(block.fields) &&
          h("div", {class: "slack-fields"}, block.fields.map((field) => h("div", {}, drawObject(field)))),
        block.accessory && drawElement(block.accessory));
    case "context":
      return h("div", {class: "slack-context"},
        listOf(block.elements)
          .map((element) => h("span", {}, element?.type === "image" ? drawElement(element) : drawObject(element))));
    case "actions": return h("div", {class: "slack-actions"}, listOf(block.elements).map(drawElement));
    case "image": return drawElement(block);
    case "markdown": return h("div", {class: "slack-text"}, textOf(block.text));
    case "rich_text": return h("div", {class: "slack-text"}, richText(block));
    default: return h("div", {class: "slack-unknown"}, `a block of the type ${JSON.stringify(block?.type ?? null)}`);
  }
}

function drawElement(element) {
  if (element?.type === "button")
    return h("span", {class: `slack-button ${textOf(element.style)}`}, textOf(element.text?.text));
  if (element?.type === "image")
    return h("span", {class: "slack-unknown"}, `picture: ${textOf(element.alt_text)} ${textOf(element.image_url)}`);
  return h("span", {class: "slack-unknown"}, textOf(element?.type) || "an element");
}

function drawObject(text) {
  return text?.type === "mrkdwn" ? drawText(textOf(text.text)) : textOf(text?.text);
}

// The text of a rich_text block; its lists and styles are not drawn.
function richText(node) {
  return textOf(node?.text) || listOf(node?.elements).map(richText).join("");
}

function drawAttachment(attachment) {
  const bar = h("div", {class: "slack-bar"});
  const color = textOf(attachment?.color);
  // Only a colour in digits: a name could be anything.
  bar.style.backgroundColor = /^#?[\da-fA-F]{6}$/.test(color) ?
    "#" + color.replace("#", "") :
    {good: "#2eb67d", warning: "#ecb22e", danger: "#e01e5a"}[color] ?? "";
  return h("div", {class: "slack-attachment"}, bar,
    h("div", {}, attachment?.pretext && h("div", {}, drawText(textOf(attachment.pretext))),
      attachment?.title && h("div", {class: "slack-title"}, textOf(attachment.title)),
      typeof attachment?.text === "string" && h("div", {class: "slack-text"}, drawText(attachment.text)),
      Array.isArray(attachment?.fields) &&
        h("div", {class: "slack-fields"},
          attachment.fields.map(
            (field) => h("div", {}, h("b", {}, textOf(field?.title)), h("br"), drawText(textOf(field?.value))))),
      Array.isArray(attachment?.blocks) && attachment.blocks.map(drawBlock),
      attachment?.footer && h("div", {class: "slack-context"}, textOf(attachment.footer))));
}

export function drawText(text) {
  return parseMrkdwn(text).map(drawNode);
}

function drawNode(node) {
  switch (node.kind) {
    case "bold": return h("b", {}, node.nodes.map(drawNode));
    case "italic": return h("i", {}, node.nodes.map(drawNode));
    case "strike": return h("s", {}, node.nodes.map(drawNode));
    case "quote": return h("div", {class: "slack-quote"}, node.nodes.map(drawNode));
    case "code": return h("code", {class: "slack-code"}, node.text);
    case "block": return h("pre", {class: "slack-block"}, node.text);
    case "break": return h("br");
    case "link":
      return h("span", {class: "slack-link", title: node.url}, node.text,
        node.text !== node.url && h("span", {class: "slack-url"}, ` (${node.url})`));
    case "mention": return h("span", {class: "slack-mention"}, node.text);
    case "emoji": return h("span", {class: "slack-emoji"}, node.text);
    default: return node.text;
  }
}
