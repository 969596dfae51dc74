#include "layout.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "text.h"

namespace slack {
namespace {

// docs.slack.dev/reference/block-kit/blocks
constexpr std::size_t kMaxHeader = 150;
constexpr std::size_t kMaxText = 3000;
constexpr std::size_t kFieldsPerSection = 10;
constexpr std::size_t kMaxContextElements = 10;

// All block text together has an undocumented limit near 12,000 characters ("msg_blocks_too_long",
// slackapi/bolt-js#2509); 9,000 have never been refused. The parts below add up to it: header 150, fields, text,
// transcript 3,000, context.
constexpr std::size_t kFieldsBudget = 2400;
constexpr std::size_t kTextBudget = 2000;
constexpr std::size_t kContextBudget = 1450;
constexpr std::size_t kMaxFields = 30;
constexpr std::size_t kMaxFieldValue = 1000;
constexpr std::size_t kMaxFieldName = 100;

// Longer top-level text is split by Slack into several messages
// (docs.slack.dev/changelog/2018-truncating-really-long-messages).
constexpr std::size_t kMaxNotification = 1000;
constexpr std::size_t kMaxPlain = 3900;
constexpr std::size_t kMaxPlainPart = 1000;

std::string Title(const hsw::Message& message) {
  std::string title = OneLine(message.Title());
  return title.empty() ? "Notification" : title;
}

bool IsBlank(std::string_view text) {
  return text.find_first_not_of(" \t\n") == std::string_view::npos;
}

class BlockList {
 public:
  void Open(std::string_view json) {
    if (!out_.empty()) out_ += ',';
    out_ += json;
  }
  void Raw(std::string_view json) { out_ += json; }
  void Text(std::string_view text) { hsw::AppendJsonString(out_, text); }
  const std::string& out() const { return out_; }

 private:
  std::string out_;
};

/// "*Call ID:*\n3f0c…" of each field that says something, within the budget.
std::vector<std::string> FieldTexts(const hsw::Message& message) {
  std::vector<std::string> texts;
  std::size_t left = kFieldsBudget;
  for (const hsw_pair& field : message.Fields()) {
    const std::string name = Escape(OneLine(hsw::View(field.name)), kMaxFieldName, "…");
    std::string value = Escape(Clean(hsw::View(field.value), kMaxFieldValue), kMaxFieldValue, "…");
    if (name.empty() && IsBlank(value)) continue;
    if (IsBlank(value)) value = "-";
    std::string text = name.empty() ? value : "*" + name + ":*\n" + value;
    const std::size_t length = hsw::CodePoints(text);
    if (length > left || texts.size() == kMaxFields) break;
    left -= length;
    texts.push_back(std::move(text));
  }
  return texts;
}

/// Time and links, each one context element.
std::vector<std::string> ContextTexts(const hsw::Message& message) {
  std::vector<std::string> texts;
  std::size_t left = kContextBudget;
  auto add = [&](std::string text) {
    const std::size_t length = hsw::CodePoints(text);
    if (text.empty() || length > left || texts.size() == kMaxContextElements) return;
    left -= length;
    texts.push_back(std::move(text));
  };
  if (const auto at = message.AtUnixMs()) add(Date(*at));
  for (const hsw_pair& link : message.Links()) {
    add(Link(hsw::View(link.value), hsw::View(link.name), left));
  }
  return texts;
}

}  // namespace

std::string BlocksBody(const hsw::Message& message, std::size_t max_transcript) {
  const std::string title = Title(message);
  const std::string text = Clean(message.Text(), kMaxText);
  const std::string transcript = Clean(message.Transcript(), max_transcript);
  const bool has_transcript = !IsBlank(transcript) && max_transcript > 0;

  BlockList blocks;
  blocks.Open(R"({"type":"header","text":{"type":"plain_text","text":)");
  blocks.Text(Cut(title, kMaxHeader, "…"));
  blocks.Raw(R"(,"emoji":true}})");

  const auto fields = FieldTexts(message);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i % kFieldsPerSection == 0) {
      if (i) blocks.Raw("]}");
      blocks.Open(R"({"type":"section","fields":[)");
    } else {
      blocks.Raw(",");
    }
    blocks.Raw(R"({"type":"mrkdwn","text":)");
    blocks.Text(fields[i]);
    blocks.Raw(R"(,"verbatim":true})");
  }
  if (!fields.empty()) blocks.Raw("]}");

  // plain_text, because mrkdwn has no escape for * _ ~ and `.
  if (!IsBlank(text)) {
    blocks.Open(R"({"type":"section","text":{"type":"plain_text","text":)");
    blocks.Text(Cut(text, has_transcript ? kTextBudget : kMaxText, kTruncated));
    blocks.Raw(R"(,"emoji":true}})");
  }

  if (has_transcript) {
    blocks.Open(R"({"type":"divider"})");
    blocks.Open(R"({"type":"section","text":{"type":"mrkdwn","text":)");
    blocks.Text(CodeBlock(transcript, max_transcript, kMaxText));
    blocks.Raw(R"(,"verbatim":true}})");
  }

  const auto context = ContextTexts(message);
  for (std::size_t i = 0; i < context.size(); ++i) {
    if (i == 0) {
      blocks.Open(R"({"type":"context","elements":[)");
    } else {
      blocks.Raw(",");
    }
    blocks.Raw(R"({"type":"mrkdwn","text":)");
    blocks.Text(context[i]);
    blocks.Raw(R"(,"verbatim":true})");
  }
  if (!context.empty()) blocks.Raw("]}");

  // What a phone's notification and a screen reader show.
  std::string notification = title;
  if (!IsBlank(text)) notification += "\n" + OneLine(text);
  std::string body = R"({"text":)";
  hsw::AppendJsonString(body, Escape(notification, kMaxNotification, "…"));
  body += R"(,"blocks":[)";
  body += blocks.out();
  body += R"(],"unfurl_links":false,"unfurl_media":false})";
  return body;
}

std::string PlainBody(const hsw::Message& message, std::size_t max_transcript) {
  std::string text = Cut(Title(message), kMaxHeader, "…");
  auto line = [&](std::string_view more) {
    text += '\n';
    text += more;
  };
  for (const hsw_pair& field : message.Fields().first(std::min(message.Fields().size(), kMaxFields))) {
    line(Cut(OneLine(hsw::View(field.name)), kMaxFieldName, "…") + ": " +
         Cut(OneLine(hsw::View(field.value)), 200, "…"));
  }
  const std::string free_text = Clean(message.Text(), kMaxPlainPart),
                    transcript = Clean(message.Transcript(), max_transcript);
  if (!IsBlank(free_text)) line(Cut(free_text, kMaxPlainPart, kTruncated));
  for (const hsw_pair& link : message.Links()) {
    if (hsw::View(link.value).size() <= kMaxPlainPart) {
      line(OneLine(hsw::View(link.name)) + ": " + OneLine(hsw::View(link.value)));
    }
  }
  if (!IsBlank(transcript) && max_transcript > 0) line(Cut(transcript, max_transcript, kTruncated));
  std::string body = R"({"text":)";
  hsw::AppendJsonString(body, Escape(text, kMaxPlain, kTruncated));
  body += R"(,"mrkdwn":false,"unfurl_links":false,"unfurl_media":false})";
  return body;
}

std::string WorkflowBody(const hsw::Delivery& delivery, std::size_t max_transcript) {
  const auto message = delivery.Message();
  std::string body = "{";
  auto add = [&](std::string_view key, std::string_view value) {
    if (body.size() > 1) body += ',';
    hsw::AppendJsonString(body, key);
    body += ':';
    hsw::AppendJsonString(body, value);
  };
  std::string_view duration, link;
  for (const hsw_pair& field : message.Fields()) {
    if (hsw::EqualsIgnoreCase(hsw::View(field.name), "duration")) duration = hsw::View(field.value);
  }
  if (!message.Links().empty()) link = hsw::View(message.Links()[0].value);
  std::string transcript = Clean(message.Transcript(), max_transcript + kTruncated.size());
  transcript = max_transcript == 0 ? "" : Cut(transcript, max_transcript + kTruncated.size(), kTruncated);
  add("title", Title(message));
  add("status", hsw::View(delivery.Event().status));
  add("agent", hsw::View(delivery.Event().agent));
  add("call_id", hsw::View(delivery.Event().call_id));
  add("duration", OneLine(duration));
  add("text", Cut(Clean(message.Text(), kMaxText), kMaxText, kTruncated));
  add("transcript", transcript);
  add("link", OneLine(link));
  body += '}';
  return body;
}

}  // namespace slack
