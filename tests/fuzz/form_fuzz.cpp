// Any bytes as a form: the reader neither throws nor crashes, and gives an object of well-formed texts.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/check.h"
#include "core/base/text.h"
#include "core/sources/form.h"

using namespace hookswitch;

namespace {

void CheckField(const json::value& value) {
  if (const auto* list = value.if_array()) {
    HSW_CHECK(list->size() > 1, "a list is of a name that is repeated");
    for (const auto& one : *list) HSW_CHECK(one.is_string() && IsUtf8(one.get_string()), "fields are texts");
  } else {
    HSW_CHECK(value.is_string() && IsUtf8(value.get_string()), "fields are texts");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  for (const std::string_view type : {"", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b",
                                      "multipart/form-data; boundary=\"b"}) {
    payload::Document document;
    const auto form = ReadForm(body, type, document);
    if (!form) continue;
    HSW_CHECK((*form)->is_object(), "a form is an object");
    HSW_CHECK((*form)->get_object().size() <= payload::kMaxMembers, "fields are bounded");
    for (const auto& field : (*form)->get_object()) {
      HSW_CHECK(IsUtf8(field.key()), "names are texts");
      CheckField(field.value());
    }
  }
  // The body as its own Content-Type.
  (void)FormKindOf(body);
  payload::Document document;
  (void)ReadForm(body, body.substr(0, body.find('\n')), document);
  return 0;
}
