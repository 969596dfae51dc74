#include "core/admin/page_files.h"

#include <algorithm>

#include "core/admin/answers.h"
#include "core/admin/embedded_file.h"
#include "core/base/check.h"
#include "core/base/text.h"

namespace hookswitch {
namespace {

// A browser runs, loads and calls nothing but what comes from here, and shows the page in no other site's frame.
constexpr std::string_view kContentPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

std::string_view TypeOf(std::string_view name) {
  static constexpr std::pair<std::string_view, std::string_view> kTypes[] = {{".html", "text/html; charset=utf-8"},
                                                                             {".css", "text/css; charset=utf-8"},
                                                                             {".js", "text/javascript; charset=utf-8"},
                                                                             {".svg", "image/svg+xml"}};
  const auto* type = std::ranges::find_if(kTypes, [&](const auto& pair) { return name.ends_with(pair.first); });
  HSW_CHECK(type != std::end(kTypes), "the build embeds files of these kinds only");
  return type->second;
}

// True if If-None-Match has the tag, in the weak comparison (RFC 9110 13.1.2).
bool Has(std::string_view tags, std::string_view tag) {
  while (!tags.empty()) {
    const auto comma = std::min(tags.find(','), tags.size());
    std::string_view one = Trim(tags.substr(0, comma));
    if (one.starts_with("W/")) one.remove_prefix(2);
    if (one == tag || one == "*") return true;
    tags.remove_prefix(std::min(comma + 1, tags.size()));
  }
  return false;
}

Answer Serve(const ServedRequest& request, std::string_view name) {
  const auto files = PageFiles();
  const auto file = std::ranges::find(files, name, &EmbeddedFile::name);
  if (file == files.end()) return Refused(404, "not_found", "the page has no such file");
  Answer answer;
  answer.content_type = TypeOf(name);
  answer.headers = {{"ETag", std::string(file->etag)},
                    {"Cache-Control", "no-cache"},  // kept, but asked for each time: it changes with the program
                    {"Content-Security-Policy", std::string(kContentPolicy)},
                    {"X-Frame-Options", "DENY"},
                    {"Referrer-Policy", "no-referrer"},
                    {"Cross-Origin-Opener-Policy", "same-origin"}};
  if (Has(request.Header("If-None-Match"), file->etag)) {
    answer.status = 304;
  } else {
    answer.body = file->bytes;
  }
  return answer;
}

}  // namespace

void AddPage(AdminRoutes& routes) {
  using Takes = AdminRoute::Takes;
  using Routed = const RoutedRequest&;
  routes.Add({"GET", "/", Access::kPublic, Takes::kAnything,
              [](Routed routed) { return Serve(routed.request, "index.html"); }});
  routes.Add({"GET", "/page/{+name}", Access::kPublic, Takes::kAnything,
              [](Routed routed) { return Serve(routed.request, routed.values[0]); }});
}

}  // namespace hookswitch
