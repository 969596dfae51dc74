#include "layout.h"

#include <algorithm>
#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "hookswitch/text.hpp"
#include "text.h"

namespace slack {
namespace {

// docs.slack.dev/reference/block-kit/blocks
constexpr std::size_t kMaxHeader = 150;
constexpr std::size_t kMaxText = 3000;
constexpr std::size_t kFieldsPerSection = 10;
constexpr std::size_t kMaxContextElements = 10;

// All block text together has an undocumented limit near 12,000 characters ("msg_blocks_too_long",
// slackapi/bolt-js#2509); 9,000 have never been rejected. Header, fields, text and context have a budget each, and the
// transcript gets the rest, at least 850 with the longest mention (slack.cpp). A recording's signed URL can be long and
// is useless if cut.
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

// Size of a usual message, to avoid repeated reallocation.
constexpr std::size_t kUsualPart = 256;
constexpr std::size_t kUsualMarkup = 2048;

std::string_view Title(const hsw::Message& message, std::string& room) {
  const auto title = OneLine(message.Title(), room);
  return hsw::IsBlank(title) ? "Notification" : title;
}

std::size_t EscapedLength(std::string_view text) {
  return hsw::CodePoints(Escape(text, std::string::npos, ""));
}

/// Values for a workflow that a message may not contain, because a template may omit them.
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

/// `text` becomes "*Call ID:*\n3f0c…", or "" for an empty field.
void FieldText(const hsw_pair& field, std::string& text, std::string& room) {
  const bool named = !hsw::IsBlank(hsw::View(field.name));
  text.clear();
  if (named) {
    text = "*";
    AppendEscaped(text, OneLine(hsw::View(field.name), room), kMaxFieldName, "…");
    text += ":*\n";
  }
  const std::string_view value = Clean(hsw::View(field.value), room, kMaxFieldValue);
  if (!hsw::IsBlank(value)) {
    AppendEscaped(text, value, kMaxFieldValue, "…");
  } else if (named) {
    text += '-';
  }
}

// Each of the following functions appends to `json`, uses the other strings as scratch, and returns the number of code
// points shown.

/// Sections of the non-empty fields, within their budget.
std::size_t AppendFields(const hsw::Message& message, std::string& json, std::string& text, std::string& room) {
  std::size_t count = 0, left = kFieldsBudget;
  for (const hsw_pair& field : message.Fields()) {
    FieldText(field, text, room);
    if (text.empty()) continue;
    const std::size_t length = hsw::CodePoints(text);
    if (length > left || count == kMaxFields) break;
    left -= length;
    if (count % kFieldsPerSection != 0) {
      json += ',';
    } else {
      json += count == 0 ? R"(,{"type":"section","fields":[)" : R"(]},{"type":"section","fields":[)";
    }
    ++count;
    json += R"({"type":"mrkdwn","text":)";
    hsw::AppendJsonString(json, text);
    json += R"(,"verbatim":true})";
  }
  if (count > 0) json += "]}";
  return kFieldsBudget - left;
}

/// Time and links, one context element each, comma-separated.
std::size_t AppendContext(const hsw::Message& message, std::string& json, std::string& text) {
  std::size_t left = kContextBudget, count = 0;
  auto add = [&] {
    const std::size_t length = hsw::CodePoints(text);
    if (text.empty() || length > left || count == kMaxContextElements) return;
    left -= length;
    if (count++ > 0) json += ',';
    json += R"({"type":"mrkdwn","text":)";
    hsw::AppendJsonString(json, text);
    json += R"(,"verbatim":true})";
  };
  if (const auto at = message.AtUnixMs()) {
    text.clear();
    AppendDate(text, *at);
    add();
  }
  for (const hsw_pair& link : message.Links()) {
    text.clear();
    AppendLink(text, hsw::View(link.value), hsw::View(link.name), std::min(left, kMaxText));
    add();
  }
  return kContextBudget - left;
}

}  // namespace

std::string BlocksBody(const hsw::Message& message, std::size_t max_transcript, std::string_view mention) {
  std::string title_room, text_room, transcript_room, more_room, room, shown;
  const std::string_view title = Title(message, title_room);
  const std::string_view text = Clean(message.Text(), text_room, kMaxText);
  const std::string_view transcript = Clean(message.Transcript(), transcript_room, max_transcript);
  const bool has_text = !hsw::IsBlank(text), has_transcript = !hsw::IsBlank(transcript) && max_transcript > 0;
  shown.reserve(kUsualPart + transcript.size());
  std::string context;
  std::size_t left = kAllText - AppendContext(message, context, shown);

  std::string body;
  body.reserve(kUsualMarkup + title.size() * 2 + text.size() * 2 + transcript.size() + context.size());
  auto json = [&body](std::string_view value) { hsw::AppendJsonString(body, value); };

  // Shown in notifications and by screen readers.
  shown = title;
  if (has_text) shown.append(1, '\n').append(OneLine(text, room));
  body += R"({"text":)";
  room.clear();
  AppendEscaped(room, shown, kMaxNotification, "…");
  json(room);

  body += R"(,"blocks":[{"type":"header","text":{"type":"plain_text","text":)";
  const std::string_view header = Cut(title, room, kMaxHeader, "…");
  json(header);
  left -= hsw::CodePoints(header);
  body += R"(,"emoji":true}})";
  if (!mention.empty()) {
    left -= hsw::CodePoints(mention);
    body += R"(,{"type":"section","text":{"type":"mrkdwn","text":)";
    json(mention);
    body += R"(,"verbatim":true}})";
  }

  left -= AppendFields(message, body, shown, room);

  // The usual layout comes first: header, fields, divider, transcript. Everything else follows.
  const std::string_view more =
      has_text ? Cut(text, more_room, has_transcript ? kTextBudget : kMaxText, kTruncated) : std::string_view();
  left -= hsw::CodePoints(more);
  if (has_transcript || has_text) body += R"(,{"type":"divider"})";
  if (has_transcript) {
    body += R"(,{"type":"section","text":{"type":"mrkdwn","text":)";
    shown.clear();
    AppendCodeBlock(shown, transcript, max_transcript, std::min(left, kMaxText));
    json(shown);
    body += R"(,"verbatim":true}})";
  }
  if (has_text) {
    // plain_text, because mrkdwn has no escape for * _ ~ and `.
    body += R"(,{"type":"section","text":{"type":"plain_text","text":)";
    json(more);
    body += R"(,"emoji":true}})";
  }
  if (!context.empty()) body.append(R"(,{"type":"context","elements":[)").append(context).append("]}");
  body += R"(],"unfurl_links":false,"unfurl_media":false})";
  return body;
}

std::string PlainBody(const hsw::Message& message, std::size_t max_transcript, std::string_view mention) {
  std::string room;
  std::string text = Cut(Title(message, room), kMaxHeader, "…");
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
  if (!hsw::IsBlank(free_text)) line(Cut(free_text, kMaxPlainPart, kTruncated));
  for (const hsw_pair& link : message.Links()) {
    const std::string shown = OneLine(hsw::View(link.name)) + ": " + OneLine(hsw::View(link.value));
    if (EscapedLength(text) + 1 + EscapedLength(shown) <= kMaxPlain) line(shown);
  }
  if (!hsw::IsBlank(transcript) && max_transcript > 0) line(Cut(transcript, max_transcript, kTruncated));
  std::string body = R"({"text":)";
  const std::string before = mention.empty() ? "" : std::string(mention) + "\n";
  hsw::AppendJsonString(body, before + Escape(text, kMaxPlain - before.size(), kTruncated));
  body += R"(,"mrkdwn":false,"unfurl_links":false,"unfurl_media":false})";
  return body;
}

std::string WorkflowBody(const hsw::Delivery& delivery, std::size_t max_transcript) {
  const auto message = delivery.Message();
  std::string body = "{";
  auto add_as_it_is = [&](std::string_view key, std::string_view value) {
    if (body.size() > 1) body += ',';
    hsw::AppendJsonString(body, key);
    body += ':';
    hsw::AppendJsonString(body, value);
  };
  // A workflow inserts variables into messages as mrkdwn.
  auto add = [&](std::string_view key, std::string_view value) {
    add_as_it_is(key, Escape(value, std::string_view::npos, ""));
  };
  CallFacts facts = ReadFacts(delivery.EventJson());
  if (facts.recording_url.empty() && !message.Links().empty())
    facts.recording_url = hsw::View(message.Links()[0].value);
  std::string transcript = Clean(message.Transcript(), max_transcript + kTruncated.size());
  transcript = max_transcript == 0 ? "" : Cut(transcript, max_transcript + kTruncated.size(), kTruncated);
  std::string room;
  add("title", Title(message, room));
  add("status", hsw::View(delivery.Event().status));
  add("agent", hsw::View(delivery.Event().agent));
  add("call_id", hsw::View(delivery.Event().call_id));
  add("duration", facts.duration);
  add("text", Cut(Clean(message.Text(), kMaxText), kMaxText, kTruncated));
  add("transcript", transcript);
  // A link may also be used for a button, where an entity would be wrong.
  std::string link;
  if (hsw::IsWebUrl(facts.recording_url, kMaxText)) AppendUrl(link, facts.recording_url, "&");
  add_as_it_is("link", link);
  body += '}';
  return body;
}

}  // namespace slack
