#include "core/cli/payload_file.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>
#include <utility>

#include "core/base/http_syntax.h"
#include "core/base/text.h"

namespace hookswitch::cli {
namespace {

/// The file's bytes, or those of stdin for "-". Error: kUnavailable (the system's reason).
Result<std::string> ReadAll(const std::string& file) {
  const bool is_stdin = file == "-";
  const auto cannot_read = [&](int code) {
    return Error{ErrorCode::kUnavailable,
                 "cannot read " + (is_stdin ? "stdin" : file) + ": " + std::generic_category().message(code)};
  };
  std::FILE* const in = is_stdin ? stdin : std::fopen(file.c_str(), "rbe");
  if (!in) return cannot_read(errno);
  const std::unique_ptr<std::FILE, void (*)(std::FILE*)> closes(in, [](std::FILE* open) {
    if (open != stdin) (void)std::fclose(open);
  });
  constexpr std::size_t kAtOnce = 65'536;
  std::string text;
  for (std::size_t size = 0;; size = text.size()) {
    text.resize(size + kAtOnce);
    const std::size_t n = std::fread(text.data() + size, 1, kAtOnce, in);
    text.resize(size + n);
    if (n == kAtOnce) continue;
    if (std::ferror(in)) return cannot_read(errno);
    return text;
  }
}

}  // namespace

Result<Headers> HeadersFor(const Options& options, std::string_view file) {
  Headers headers;
  for (const std::string& line : options.headers) {
    const auto colon = line.find(':');
    const std::string name(Trim(std::string_view(line).substr(0, colon)));
    if (colon == std::string::npos || !(IsHttpToken(name) || name == kQueryName)) {
      return Error{ErrorCode::kInvalid, "--header \"" + line + "\" is not 'Name: value'"};
    }
    headers.emplace_back(name, Trim(std::string_view(line).substr(colon + 1)));
  }
  if (!options.content_type.empty()) {
    headers.emplace_back("Content-Type", options.content_type);
  } else if (std::ranges::none_of(headers, [](const auto& h) { return EqualsIgnoreCase(h.first, "content-type"); })) {
    if (file.ends_with(".json")) headers.emplace_back("Content-Type", "application/json");
    if (file.ends_with(".form")) headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
  }
  return headers;
}

Result<Payload> ReadPayload(const Options& options) {
  auto headers = HeadersFor(options, options.event);
  if (!headers) return headers.error();
  auto body = ReadAll(options.event);
  if (!body) return body.error();
  return Payload{std::move(*body), std::move(*headers)};
}

Bodies BodiesOf(const Source& source, const std::string& body, const Headers& kept) {
  auto several = source.Split({body, kept, {}});
  if (!several) return {{body}, false};
  return {std::move(*several), true};
}

}  // namespace hookswitch::cli
