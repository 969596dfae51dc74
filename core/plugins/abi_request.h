#pragma once
#include <cstddef>
#include <string>

#include "core/event/outcome.h"
#include "hookswitch/sink.h"

namespace hookswitch::plugins {

/// An hsw_request that a plugin fills in.
struct AbiRequest {
  AbiRequest();
  AbiRequest(const AbiRequest&) = delete;
  AbiRequest& operator=(const AbiRequest&) = delete;

  /// Why the request must not be sent, or "".
  std::string Problem() const;

  HttpRequest request;
  std::size_t body_size = 0;  ///< as given; a body over HSW_MOST_BODY is not copied
  hsw_request raw{};

 private:
  static HttpRequest& Of(void* self) { return static_cast<AbiRequest*>(self)->request; }
};

}  // namespace hookswitch::plugins
