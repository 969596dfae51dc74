#include "tests/fakes/slack_rules.h"

#include <initializer_list>
#include <set>

#include "core/base/text.h"

namespace hookswitch::fakes {
namespace {

constexpr std::size_t kMaxBlocks = 50;
constexpr std::size_t kMaxTopText = 40'000;
constexpr std::size_t kMaxAttachments = 100;
// Undocumented; Slack staff: "12 000 text characters with a buffer for containers" (slackapi/bolt-python#2509).
constexpr std::size_t kMaxSumOfText = 12'000;

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  return quoted.append(text).append("\"");
}

/// Walks one message and keeps the first problem.
class Checker {
 public:
  std::string problem;

  void Message(const json::value& value) {
    const json::object* message = value.if_object();
    if (message == nullptr) return Fail("invalid_payload", "the message", "not a JSON object");
    if (message->contains("channel")) return Fail("channel_not_found", "channel", "an app's webhook has one channel");
    if (!Keys(*message, "invalid_payload", "",
              {"text", "blocks", "attachments", "thread_ts", "mrkdwn", "metadata", "unfurl_links", "unfurl_media",
               "response_type", "replace_original", "delete_original", "reply_broadcast", "link_names", "parse",
               "username", "icon_emoji", "icon_url"})) {
      return;
    }
    bool says_something = false;
    if (const json::value* text = message->if_contains("text")) {
      if (!text->is_string()) return Fail("invalid_payload", "text", "not a string");
      says_something = !text->get_string().empty();
      if (const std::size_t length = CodePoints(text->get_string()); length > kMaxTopText) {
        return TooLong("msg_too_long", "text", kMaxTopText, length);
      }
    }
    if (const json::value* blocks = message->if_contains("blocks")) {
      Blocks(*blocks, "blocks");
      says_something = says_something || (blocks->is_array() && !blocks->get_array().empty());
    }
    if (const json::value* attachments = message->if_contains("attachments")) {
      Attachments(*attachments);
      says_something = says_something || (attachments->is_array() && !attachments->get_array().empty());
    }
    if (!says_something) return Fail("no_text", "the message", "neither text nor blocks nor attachments");
    if (sum_of_text_ > kMaxSumOfText) TooLong("msg_blocks_too_long", "all blocks", kMaxSumOfText, sum_of_text_);
  }

 private:
  void Fail(std::string_view word, std::string_view where, std::string_view what) {
    if (problem.empty()) problem.append(word).append(": ").append(where).append(": ").append(what);
  }
  void Bad(const std::string& where, std::string_view what) { Fail("invalid_blocks", where, what); }
  void TooLong(std::string_view word, std::string_view where, std::size_t limit, std::size_t has) {
    Fail(word, where, "at most " + std::to_string(limit) + " characters, has " + std::to_string(has));
  }

  bool Keys(const json::object& object, std::string_view word, const std::string& where,
            std::initializer_list<std::string_view> known) {
    for (const auto& member : object) {
      bool found = false;
      for (const std::string_view name : known) found = found || name == member.key();
      if (found) continue;
      Fail(word, where.empty() ? std::string(member.key()) : where + "." + std::string(member.key()), "unknown key");
      return false;
    }
    return true;
  }

  /// A string member of `minimum` to `maximum` characters; absent is fine unless `required`.
  void String(const json::object& object, const std::string& where, const char* key, std::size_t minimum,
              std::size_t maximum, bool required = true) {
    const std::string place = where + "." + key;
    const json::value* value = object.if_contains(key);
    if (value == nullptr) {
      if (required) Bad(place, "missing");
      return;
    }
    if (!value->is_string()) return Bad(place, "not a string");
    const std::size_t length = CodePoints(value->get_string());
    if (length < minimum) return Bad(place, "must not be empty");
    if (length > maximum) TooLong("invalid_blocks", place, maximum, length);
  }

  void TextObject(const json::value& value, const std::string& where, std::size_t maximum, bool plain_only) {
    const json::object* text = value.if_object();
    if (text == nullptr) return Bad(where, "not a text object");
    const json::value* type = text->if_contains("type");
    const bool plain = type != nullptr && *type == "plain_text";
    if (!plain && (type == nullptr || *type != "mrkdwn")) return Bad(where + ".type", "neither plain_text nor mrkdwn");
    if (plain_only && !plain) return Bad(where + ".type", "must be plain_text");
    if (plain) {
      Keys(*text, "invalid_blocks", where, {"type", "text", "emoji"});
    } else {
      Keys(*text, "invalid_blocks", where, {"type", "text", "verbatim"});
    }
    String(*text, where, "text", 1, maximum);
    if (const json::value* content = text->if_contains("text"); content != nullptr && content->is_string()) {
      sum_of_text_ += CodePoints(content->get_string());
    }
  }

  void Blocks(const json::value& value, const std::string& where) {
    const json::array* blocks = value.if_array();
    if (blocks == nullptr) return Fail("invalid_blocks_format", where, "not an array");
    if (blocks->size() > kMaxBlocks) {
      return Bad(where, "at most 50 blocks, has " + std::to_string(blocks->size()));
    }
    for (std::size_t i = 0; i < blocks->size(); ++i) Block((*blocks)[i], where + "[" + std::to_string(i) + "]");
  }

  void Block(const json::value& value, const std::string& where) {
    const json::object* block = value.if_object();
    if (block == nullptr) return Bad(where, "not an object");
    const json::value* type = block->if_contains("type");
    if (type == nullptr || !type->is_string()) return Bad(where + ".type", "missing");
    if (block->contains("block_id")) {
      String(*block, where, "block_id", 1, 255);
      const json::value& id = block->at("block_id");
      if (id.is_string() && !block_ids_.insert(std::string(id.get_string())).second) {
        Bad(where + ".block_id", "used twice in this message");
      }
    }
    const std::string_view name = type->get_string();
    if (name == "header") return Header(*block, where);
    if (name == "section") return Section(*block, where);
    if (name == "divider") {
      Keys(*block, "invalid_blocks", where, {"type", "block_id"});
      return;
    }
    if (name == "context") return Context(*block, where);
    if (name == "image") return Image(*block, where, true);
    if (name == "actions") return Actions(*block, where);
    if (name == "markdown") return Markdown(*block, where);
    if (name == "rich_text") return RichText(*block, where);
    Bad(where + ".type", Quoted(name) + " is not a block of messages");
  }

  void Header(const json::object& block, const std::string& where) {
    if (!Keys(block, "invalid_blocks", where, {"type", "block_id", "text"})) return;
    if (!block.contains("text")) return Bad(where + ".text", "missing");
    TextObject(block.at("text"), where + ".text", 150, true);
  }

  void Section(const json::object& block, const std::string& where) {
    if (!Keys(block, "invalid_blocks", where, {"type", "block_id", "text", "fields", "accessory", "expand"})) return;
    const json::value* text = block.if_contains("text");
    const json::value* fields = block.if_contains("fields");
    if (text == nullptr && fields == nullptr) return Bad(where, "a section needs text or fields");
    if (text != nullptr) TextObject(*text, where + ".text", 3000, false);
    if (fields != nullptr) {
      const json::array* list = fields->if_array();
      if (list == nullptr || list->empty()) return Bad(where + ".fields", "not a filled array");
      if (list->size() > 10) return Bad(where + ".fields", "at most 10 fields, has " + std::to_string(list->size()));
      for (std::size_t i = 0; i < list->size(); ++i) {
        TextObject((*list)[i], where + ".fields[" + std::to_string(i) + "]", 2000, false);
      }
    }
    if (const json::value* accessory = block.if_contains("accessory")) Element(*accessory, where + ".accessory");
  }

  void Context(const json::object& block, const std::string& where) {
    if (!Keys(block, "invalid_blocks", where, {"type", "block_id", "elements"})) return;
    const json::value* value = block.if_contains("elements");
    const json::array* elements = value == nullptr ? nullptr : value->if_array();
    if (elements == nullptr || elements->empty()) return Bad(where + ".elements", "not a filled array");
    if (elements->size() > 10) {
      return Bad(where + ".elements", "at most 10 elements, has " + std::to_string(elements->size()));
    }
    for (std::size_t i = 0; i < elements->size(); ++i) {
      const std::string place = where + ".elements[" + std::to_string(i) + "]";
      const json::object* element = (*elements)[i].if_object();
      const json::value* type = element == nullptr ? nullptr : element->if_contains("type");
      if (type != nullptr && *type == "image") {
        Image(*element, place, false);
      } else {
        TextObject((*elements)[i], place, 3000, false);
      }
    }
  }

  void Image(const json::object& block, const std::string& where, bool is_block) {
    if (is_block) {
      Keys(block, "invalid_blocks", where, {"type", "block_id", "image_url", "slack_file", "alt_text", "title"});
      if (block.contains("title")) TextObject(block.at("title"), where + ".title", 2000, true);
    } else {
      Keys(block, "invalid_blocks", where, {"type", "image_url", "slack_file", "alt_text"});
    }
    String(block, where, "image_url", 1, 3000);
    String(block, where, "alt_text", 1, 2000);
  }

  void Actions(const json::object& block, const std::string& where) {
    if (!Keys(block, "invalid_blocks", where, {"type", "block_id", "elements"})) return;
    const json::value* value = block.if_contains("elements");
    const json::array* elements = value == nullptr ? nullptr : value->if_array();
    if (elements == nullptr || elements->empty()) return Bad(where + ".elements", "not a filled array");
    if (elements->size() > 25) {
      return Bad(where + ".elements", "at most 25 elements, has " + std::to_string(elements->size()));
    }
    for (std::size_t i = 0; i < elements->size(); ++i) {
      Element((*elements)[i], where + ".elements[" + std::to_string(i) + "]");
    }
  }

  /// Buttons and images: a router has no use for the interactive rest.
  void Element(const json::value& value, const std::string& where) {
    const json::object* element = value.if_object();
    const json::value* type = element == nullptr ? nullptr : element->if_contains("type");
    if (type == nullptr) return Bad(where + ".type", "missing");
    if (*type == "image") return Image(*element, where, false);
    if (*type != "button") return Bad(where + ".type", "neither button nor image");
    if (!Keys(*element, "invalid_blocks", where,
              {"type", "action_id", "text", "url", "value", "style", "confirm", "accessibility_label"})) {
      return;
    }
    if (!element->contains("text")) return Bad(where + ".text", "missing");
    TextObject(element->at("text"), where + ".text", 75, true);
    String(*element, where, "action_id", 1, 255, false);
    String(*element, where, "url", 1, 3000, false);
    String(*element, where, "value", 1, 2000, false);
    String(*element, where, "accessibility_label", 1, 75, false);
    if (const json::value* style = element->if_contains("style")) {
      if (*style != "primary" && *style != "danger") Bad(where + ".style", "neither primary nor danger");
    }
  }

  void Markdown(const json::object& block, const std::string& where) {
    if (!Keys(block, "invalid_blocks", where, {"type", "block_id", "text"})) return;
    String(block, where, "text", 1, 12'000);
    if (const json::value* text = block.if_contains("text"); text != nullptr && text->is_string()) {
      sum_of_text_ += CodePoints(text->get_string());
    }
  }

  void RichText(const json::object& block, const std::string& where) {
    if (!Keys(block, "invalid_blocks", where, {"type", "block_id", "elements"})) return;
    const json::value* value = block.if_contains("elements");
    const json::array* elements = value == nullptr ? nullptr : value->if_array();
    if (elements == nullptr) return Bad(where + ".elements", "not an array");
    for (std::size_t i = 0; i < elements->size(); ++i) {
      RichContainer((*elements)[i], where + ".elements[" + std::to_string(i) + "]");
    }
  }

  void RichContainer(const json::value& value, const std::string& where) {
    const json::object* container = value.if_object();
    const json::value* type = container == nullptr ? nullptr : container->if_contains("type");
    if (type == nullptr || !type->is_string()) return Bad(where + ".type", "missing");
    const std::string_view name = type->get_string();
    const bool list = name == "rich_text_list";
    bool known = true;
    if (name == "rich_text_section") {
      known = Keys(*container, "invalid_blocks", where, {"type", "elements"});
    } else if (name == "rich_text_preformatted") {
      known = Keys(*container, "invalid_blocks", where, {"type", "elements", "border", "language"});
    } else if (name == "rich_text_quote") {
      known = Keys(*container, "invalid_blocks", where, {"type", "elements", "border"});
    } else if (list) {
      known = Keys(*container, "invalid_blocks", where, {"type", "elements", "style", "indent", "offset", "border"});
    } else {
      return Bad(where + ".type", Quoted(name) + " is not a rich text element");
    }
    if (!known) return;
    const json::value* inner = container->if_contains("elements");
    const json::array* elements = inner == nullptr ? nullptr : inner->if_array();
    if (elements == nullptr) return Bad(where + ".elements", "not an array");
    for (std::size_t i = 0; i < elements->size(); ++i) {
      const std::string place = where + ".elements[" + std::to_string(i) + "]";
      if (list) {
        RichContainer((*elements)[i], place);
      } else {
        RichLeaf((*elements)[i], place, name == "rich_text_preformatted");
      }
    }
  }

  void RichLeaf(const json::value& value, const std::string& where, bool preformatted) {
    const json::object* leaf = value.if_object();
    const json::value* type = leaf == nullptr ? nullptr : leaf->if_contains("type");
    if (type == nullptr || !type->is_string()) return Bad(where + ".type", "missing");
    const std::string_view name = type->get_string();
    if (preformatted && name != "text" && name != "link")
      return Bad(where + ".type", "preformatted holds text and links");
    if (name == "text") {
      if (!Keys(*leaf, "invalid_blocks", where, {"type", "text", "style"})) return;
      String(*leaf, where, "text", 1, kMaxTopText);
      if (const json::value* text = leaf->if_contains("text"); text != nullptr && text->is_string()) {
        sum_of_text_ += CodePoints(text->get_string());
      }
    } else if (name == "link") {
      if (!Keys(*leaf, "invalid_blocks", where, {"type", "url", "text", "unsafe", "style"})) return;
      String(*leaf, where, "url", 1, 3000);
    } else if (name == "date") {
      if (!Keys(*leaf, "invalid_blocks", where, {"type", "timestamp", "format", "url", "fallback", "style"})) return;
      const json::value* timestamp = leaf->if_contains("timestamp");
      if (timestamp == nullptr || !timestamp->is_number() || timestamp->is_double()) {
        Bad(where + ".timestamp", "not an integer");
      }
      String(*leaf, where, "format", 1, 3000);
    } else if (name == "user" || name == "channel" || name == "usergroup") {
      const std::string key = std::string(name) + "_id";
      if (!Keys(*leaf, "invalid_blocks", where, {"type", key, "style"})) return;
      String(*leaf, where, key.c_str(), 1, 255);
    } else if (name == "emoji") {
      Keys(*leaf, "invalid_blocks", where, {"type", "name", "unicode", "skin_tone", "style"});
      String(*leaf, where, "name", 1, 255);
    } else if (name == "broadcast") {
      Keys(*leaf, "invalid_blocks", where, {"type", "range", "style"});
      String(*leaf, where, "range", 1, 16);
    } else {
      Bad(where + ".type", Quoted(name) + " is not a rich text element");
    }
  }

  void Attachments(const json::value& value) {
    const json::array* attachments = value.if_array();
    if (attachments == nullptr) return Fail("invalid_attachments", "attachments", "not an array");
    if (attachments->size() > kMaxAttachments) {
      return Fail("too_many_attachments", "attachments", "at most 100, has " + std::to_string(attachments->size()));
    }
    for (std::size_t i = 0; i < attachments->size(); ++i) {
      const std::string where = "attachments[" + std::to_string(i) + "]";
      const json::object* attachment = (*attachments)[i].if_object();
      if (attachment == nullptr) return Fail("invalid_attachments", where, "not an object");
      if (!Keys(*attachment, "invalid_attachments", where,
                {"blocks", "color", "fallback", "text", "pretext", "title", "title_link", "fields", "footer",
                 "footer_icon", "ts", "mrkdwn_in", "author_name", "author_link", "author_icon", "image_url",
                 "thumb_url", "callback_id"})) {
        return;
      }
      if (attachment->contains("blocks")) Blocks(attachment->at("blocks"), where + ".blocks");
    }
  }

  std::set<std::string> block_ids_;
  std::size_t sum_of_text_ = 0;
};

}  // namespace

std::string CheckSlackMessage(const json::value& message) {
  Checker checker;
  checker.Message(message);
  return checker.problem;
}

std::string CheckSlackWorkflow(const json::value& payload) {
  const json::object* object = payload.if_object();
  if (object == nullptr) return "invalid_payload: the payload: not a JSON object";
  for (const auto& member : *object) {
    if (!member.value().is_string()) {
      return "invalid_payload: " + std::string(member.key()) + ": workflow variables are strings";
    }
  }
  return "";
}

std::string CheckSlackRequest(std::string_view path, std::string_view body) {
  const bool message = path.starts_with("/services/");
  if (!message && !path.starts_with("/workflows/") && !path.starts_with("/triggers/")) {
    return "no_service: " + std::string(path) + ": not a webhook path";
  }
  json::error_code error;
  const json::value value = json::parse(body, error);
  if (error) return "invalid_payload: the body: " + error.message();
  return message ? CheckSlackMessage(value) : CheckSlackWorkflow(value);
}

std::string_view SlackErrorWord(std::string_view problem) {
  return problem.substr(0, problem.find(':'));
}

int SlackErrorStatus(std::string_view word) {
  if (word == "no_service" || word == "channel_not_found" || word == "no_active_hooks" || word == "no_team") return 404;
  if (word == "invalid_token" || word == "action_prohibited" || word == "team_disabled") return 403;
  if (word == "channel_is_archived") return 410;
  if (word == "rollup_error") return 500;
  return 400;
}

}  // namespace hookswitch::fakes
