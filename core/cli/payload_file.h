#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/cli/commands.h"
#include "core/sources/source.h"
#include "core/sources/stored_request.h"

namespace hookswitch::cli {

/// A request as a platform posts it, from a file and the command line.
struct Payload {
  std::string body;
  Headers headers;  ///< as sent
};

/// The headers that --header and --content-type name. The Content-Type is by default that of `file`'s extension: .json
/// or .form. Error: kInvalid, a header that is not "Name: value".
Result<Headers> HeadersFor(const Options& options, std::string_view file);

/// The payload of --event. Error: kUnavailable (the system's reason), kInvalid (as HeadersFor).
Result<Payload> ReadPayload(const Options& options);

/// The bodies of the events in a payload: its own, or those of several events in it. `kept`: of its headers.
struct Bodies {
  std::vector<std::string> all;
  bool several = false;
};
Bodies BodiesOf(const Source& source, const std::string& body, const Headers& kept);

}  // namespace hookswitch::cli
