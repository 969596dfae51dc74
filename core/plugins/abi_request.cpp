#include "core/plugins/abi_request.h"

#include <algorithm>
#include <chrono>
#include <string_view>

#include "core/base/http_syntax.h"
#include "core/plugins/abi_delivery.h"

namespace hookswitch::plugins {

AbiRequest::AbiRequest() {
  raw.size = sizeof raw;
  raw.host = this;
  raw.set_method = [](void* self, hsw_str text) { Of(self).method.assign(View(text)); };
  raw.set_url = [](void* self, hsw_str text) { Of(self).url.assign(View(text)); };
  raw.add_header = [](void* self, hsw_str name, hsw_str value) {
    Of(self).headers.emplace_back(View(name), View(value));
  };
  raw.set_body = [](void* self, hsw_str text) {
    auto& builder = *static_cast<AbiRequest*>(self);
    builder.body_size = View(text).size();
    builder.request.body.assign(builder.body_size > HSW_MOST_BODY ? std::string_view() : View(text));
  };
  raw.public_only = [](void* self) { Of(self).public_only = true; };
  raw.pace = [](void* self, hsw_str key, std::uint32_t max, std::uint32_t per_ms, std::uint32_t burst) {
    Of(self).pace = Pace{.key = std::string(View(key)),
                         .max = Bounded(max),
                         .per = std::chrono::milliseconds(per_ms ? per_ms : 1000),
                         .burst = std::max(1, Bounded(burst))};
  };
  raw.order = [](void* self, hsw_str key) { Of(self).order.assign(View(key)); };
}

std::string AbiRequest::Problem() const {
  if (body_size > HSW_MOST_BODY) {
    return "its body has " + std::to_string(body_size) + " bytes, at most " + std::to_string(HSW_MOST_BODY) +
           " are sent";
  }
  if (!IsHttpToken(request.method)) return "its method is not one";
  if (!request.url.starts_with("https://") && !request.url.starts_with("http://"))
    return "its URL is not http or https";
  if (HasSpaceOrControl(request.url)) return "its URL has spaces or control characters in it";
  for (const auto& [name, value] : request.headers) {
    if (!IsHttpToken(name)) return "it has a header whose name is not one";
    if (!IsHttpFieldValue(value)) return "its header " + name + " has control characters in it";
  }
  return "";
}

}  // namespace hookswitch::plugins
