#include "core/plugins/tools.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cmath>
#include <cstring>
#include <optional>
#include <string>

#include "core/base/clock.h"
#include "core/base/encoding.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/plugins/abi_delivery.h"

/// A JSON writer that inserts commas and ignores calls out of order.
struct hsw_json {
  std::string text;
  std::string open{};       ///< '{' and '[' of the open containers
  bool is_first = true;     ///< the innermost container is empty
  bool behind_key = false;  ///< a value must follow
  bool done = false;        ///< the top-level value is complete

  bool MayTakeValue() const {
    if (open.empty()) return !done;
    return open.back() == '[' || behind_key;
  }
  void Separate() {
    if (!is_first && !behind_key) text += ',';
    is_first = behind_key = false;
    done = true;
  }
};

namespace hookswitch::plugins {
namespace {

/// With snprintf's contract: returns the full length and truncates.
std::size_t Put(std::string_view text, char* out, std::size_t size) {
  if (out && size > 0) {
    const std::size_t fits = std::min(text.size(), size - 1);
    if (fits > 0) std::memcpy(out, text.data(), fits);
    out[fits] = '\0';
  }
  return text.size();
}

// Must not throw into a plugin: returns no result when out of memory.
template <class Make>
std::size_t PutResult(char* out, std::size_t size, Make make) {
  try {
    const std::optional<std::string> made = make();
    if (made) return Put(*made, out, size);
  } catch (...) {
    // Said as what is none.
  }
  Put("", out, size);
  return HSW_NONE;
}

std::size_t Encode(std::uint32_t coding, hsw_str bytes, char* out, std::size_t size) {
  return PutResult(out, size, [&]() -> std::optional<std::string> {
    switch (coding) {
      case HSW_BASE64: return Base64(View(bytes));
      case HSW_BASE64_URL: return Base64Url(View(bytes));
      case HSW_PERCENT: return PercentEncoded(View(bytes));
      case HSW_FORM: return FormEncoded(View(bytes));
      case HSW_HEX: return Hex(View(bytes));
      default: return std::nullopt;
    }
  });
}

std::size_t FromBase64Of(hsw_str text, char* out, std::size_t size) {
  return PutResult(out, size, [&] { return FromBase64(View(text)); });
}

std::size_t Hmac(std::uint32_t hash, hsw_str key, hsw_str text, char* out, std::size_t size) {
  return PutResult(out, size, [&]() -> std::optional<std::string> {
    const EVP_MD* algorithm = hash == HSW_SHA1     ? EVP_sha1()
                              : hash == HSW_SHA256 ? EVP_sha256()
                              : hash == HSW_SHA512 ? EVP_sha512()
                                                   : nullptr;
    std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
    unsigned int length = 0;
    const std::string_view of = View(text);
    // OpenSSL does not accept a null pointer as an empty key.
    const bool made =
        algorithm && HMAC(algorithm, key.size ? key.data : "", static_cast<int>(key.size),
                          reinterpret_cast<const unsigned char*>(of.data()), of.size(), mac.data(), &length);
    if (!made) return std::nullopt;
    return std::string(reinterpret_cast<const char*>(mac.data()), length);
  });
}

std::size_t UtcText(std::int64_t unix_ms, char* out, std::size_t size) {
  // RFC 3339 covers the years 0 to 9999.
  constexpr std::int64_t kFirst = -62'167'219'200'000, kLast = 253'402'300'799'999;
  return PutResult(out, size, [&]() -> std::optional<std::string> {
    if (unix_ms < kFirst || unix_ms > kLast) return std::nullopt;
    return ToRfc3339(WallTime(std::chrono::milliseconds(unix_ms)));
  });
}

template <class Write>
void Value(hsw_json* json, Write write) {
  if (!json || !json->MayTakeValue()) return;
  try {
    json->Separate();
    write(json->text);
  } catch (...) {
    // Out of memory: the text is no longer valid JSON, and the receiver will reject it.
  }
}

void Open(hsw_json* json, char bracket) {
  Value(json, [&](std::string& text) {
    text += bracket;
    json->open += bracket;
    json->is_first = true;
  });
}

hsw_json* JsonNew() {
  return new (std::nothrow) hsw_json;
}
void JsonObject(hsw_json* json) {
  Open(json, '{');
}
void JsonArray(hsw_json* json) {
  Open(json, '[');
}
void JsonKey(hsw_json* json, hsw_str key) {
  if (!json || json->open.empty() || json->open.back() != '{' || json->behind_key) return;
  json->Separate();
  AppendJsonString(json->text, View(key));
  json->text += ':';
  json->behind_key = true;
}
void JsonEnd(hsw_json* json) {
  if (!json || json->open.empty()) return;
  if (json->behind_key) json->text += "null";
  json->text += json->open.back() == '{' ? '}' : ']';
  json->open.pop_back();
  json->is_first = json->behind_key = false;
}
void JsonString(hsw_json* json, hsw_str value) {
  Value(json, [&](std::string& text) { AppendJsonString(text, View(value)); });
}
void JsonInteger(hsw_json* json, std::int64_t value) {
  Value(json, [&](std::string& text) { text += std::to_string(value); });
}
void JsonNumber(hsw_json* json, double value) {
  Value(json, [&](std::string& text) { text += std::isfinite(value) ? ToText(json::value(value)) : "null"; });
}
void JsonBool(hsw_json* json, int value) {
  Value(json, [&](std::string& text) { text += value ? "true" : "false"; });
}
void JsonNull(hsw_json* json) {
  Value(json, [](std::string& text) { text += "null"; });
}
void JsonRaw(hsw_json* json, hsw_str value) {
  Value(json, [&](std::string& text) { text += View(value); });
}
hsw_str JsonText(const hsw_json* json) {
  return json ? Str(json->text) : hsw_str{nullptr, 0};
}
void JsonFree(hsw_json* json) {
  delete json;
}

}  // namespace

const hsw_tools* HostTools() {
  static constexpr hsw_tools kTools = {.size = sizeof(hsw_tools),
                                       .encode = Encode,
                                       .from_base64 = FromBase64Of,
                                       .hmac = Hmac,
                                       .utc_text = UtcText,
                                       .json_new = JsonNew,
                                       .json_object = JsonObject,
                                       .json_array = JsonArray,
                                       .json_end = JsonEnd,
                                       .json_key = JsonKey,
                                       .json_string = JsonString,
                                       .json_integer = JsonInteger,
                                       .json_number = JsonNumber,
                                       .json_bool = JsonBool,
                                       .json_null = JsonNull,
                                       .json_raw = JsonRaw,
                                       .json_text = JsonText,
                                       .json_free = JsonFree};
  return &kTools;
}

}  // namespace hookswitch::plugins
