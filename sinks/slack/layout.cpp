#include "layout.h"

#include <algorithm>
#include <boost/json.hpp>
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
// slackapi/bolt-js#2509); 9,000 have never been refused. Header, fields, text and context have a budget each, and the
// transcript gets what they leave, 850 at the least beside the longest mention (slack.cpp). A recording's signed URL
// can be long and is worth nothing cut.
constexpr std::size_t kAllText = 9000;
constexpr std::size_t kFieldsBudget = 2400;
constexpr std::size_t kTextBudget = 2000;
constexpr std::size_t kContextBudget = kMaxText + 100;  // the longest link, and the time
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

std::size_t EscapedLength(std::string_view text) {
  return hsw::CodePoints(Escape(text, std::string::npos, ""));
}

/// What a workflow gets that no part of a message need hold: a template says what it likes.
struct CallFacts {
  std::string duration, recording_url;
};

CallFacts ReadFacts(std::string_view event_json) {
  CallFacts facts;
  boost::system::error_code error;
  const auto value = boost::json::parse(event_json, error);
  const auto* event = error ? nullptr : value.if_object();
  if (!event) return facts;
  if (const auto* duration = event->if_contains("duration"); duration && duration->is_number()) {
    facts.duration = Duration(duration->to_number<double>());
  }
  if (const auto* url = event->if_contains("recording_url"); url && url->is_string())
    facts.recording_url = url->get_string();
  return facts;
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
    add(Link(hsw::View(link.value), hsw::View(link.name), std::min(left, kMaxText)));
  }
  return texts;
}

}  // namespace

std::string BlocksBody(const hsw::Message& message, std::size_t max_transcript, std::string_view mention) {
  const std::string title = Title(message);
  const std::string text = Clean(message.Text(), kMaxText);
  const std::string transcript = Clean(message.Transcript(), max_transcript);
  const bool has_transcript = !IsBlank(transcript) && max_transcript > 0;
  const auto context = ContextTexts(message);
  std::size_t left = kAllText;
  for (const std::string& element : context) left -= hsw::CodePoints(element);

  BlockList blocks;
  blocks.Open(R"({"type":"header","text":{"type":"plain_text","text":)");
  const std::string header = Cut(title, kMaxHeader, "…");
  blocks.Text(header);
  left -= hsw::CodePoints(header);
  blocks.Raw(R"(,"emoji":true}})");
  if (!mention.empty()) {
    left -= hsw::CodePoints(mention);
    blocks.Open(R"({"type":"section","text":{"type":"mrkdwn","text":)");
    blocks.Text(mention);
    blocks.Raw(R"(,"verbatim":true}})");
  }

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
    left -= hsw::CodePoints(fields[i]);
    blocks.Raw(R"(,"verbatim":true})");
  }
  if (!fields.empty()) blocks.Raw("]}");

  // The layout that people know comes first: header, fields, divider, transcript. What else there is to say stands
  // behind it.
  const std::string more =
      IsBlank(text) ? std::string() : Cut(text, has_transcript ? kTextBudget : kMaxText, kTruncated);
  left -= hsw::CodePoints(more);
  if (has_transcript || !more.empty()) blocks.Open(R"({"type":"divider"})");
  if (has_transcript) {
    blocks.Open(R"({"type":"section","text":{"type":"mrkdwn","text":)");
    blocks.Text(CodeBlock(transcript, max_transcript, std::min(left, kMaxText)));
    blocks.Raw(R"(,"verbatim":true}})");
  }
  if (!more.empty()) {
    // plain_text, because mrkdwn has no escape for * _ ~ and `.
    blocks.Open(R"({"type":"section","text":{"type":"plain_text","text":)");
    blocks.Text(more);
    blocks.Raw(R"(,"emoji":true}})");
  }

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

std::string PlainBody(const hsw::Message& message, std::size_t max_transcript, std::string_view mention) {
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
    const std::string shown = OneLine(hsw::View(link.name)) + ": " + OneLine(hsw::View(link.value));
    if (EscapedLength(text) + 1 + EscapedLength(shown) <= kMaxPlain) line(shown);
  }
  if (!IsBlank(transcript) && max_transcript > 0) line(Cut(transcript, max_transcript, kTruncated));
  std::string body = R"({"text":)";
  const std::string before = mention.empty() ? "" : std::string(mention) + "\n";
  hsw::AppendJsonString(body, before + Escape(text, kMaxPlain - before.size(), kTruncated));
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
  CallFacts facts = ReadFacts(delivery.EventJson());
  if (facts.recording_url.empty() && !message.Links().empty())
    facts.recording_url = hsw::View(message.Links()[0].value);
  std::string transcript = Clean(message.Transcript(), max_transcript + kTruncated.size());
  transcript = max_transcript == 0 ? "" : Cut(transcript, max_transcript + kTruncated.size(), kTruncated);
  add("title", Title(message));
  add("status", hsw::View(delivery.Event().status));
  add("agent", hsw::View(delivery.Event().agent));
  add("call_id", hsw::View(delivery.Event().call_id));
  add("duration", facts.duration);
  add("text", Cut(Clean(message.Text(), kMaxText), kMaxText, kTruncated));
  add("transcript", transcript);
  add("link", OneLine(facts.recording_url));
  body += '}';
  return body;
}

}  // namespace slack
