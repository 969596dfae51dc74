#include "core/admin/routes.h"

#include <algorithm>

#include "core/admin/answers.h"
#include "core/admin/query.h"
#include "core/base/check.h"

namespace hookswitch {
namespace {

using Takes = AdminRoute::Takes;

// What stands for the placeholders of `pattern`, or empty if `path` does not match.
std::optional<std::vector<std::string_view>> Match(std::string_view pattern, std::string_view path) {
  std::vector<std::string_view> values;
  while (true) {
    const auto open = std::min(pattern.find('{'), pattern.size());
    if (!path.starts_with(pattern.substr(0, open))) return {};
    path.remove_prefix(open);
    pattern.remove_prefix(open);
    if (pattern.empty()) break;
    const auto close = pattern.find('}');
    const std::string_view name = pattern.substr(1, close - 1);
    pattern.remove_prefix(close + 1);
    auto length = std::min(path.find('/'), path.size());
    if (name.starts_with('+')) length = path.ends_with(pattern) ? path.size() - pattern.size() : 0;
    if (length == 0) return {};
    values.push_back(path.substr(0, length));
    path.remove_prefix(length);
  }
  if (!path.empty()) return {};
  return values;
}

bool HasMethod(const AdminRoute& route, std::string_view method) {
  return route.method == method || (route.method == "GET" && method == "HEAD");
}

Answer NoSuchPage() {
  return Refused(404, "not_found", "there is no such page; see config/OPERATING.md, \"Admin API\"");
}

}  // namespace

void AdminRoutes::Add(AdminRoute route) {
  for (const AdminRoute& other : routes_) {
    HSW_CHECK(other.pattern != route.pattern || other.method != route.method, "an operation has one handler");
  }
  routes_.push_back(std::move(route));
}

AdminRoutes::Found AdminRoutes::Find(const ServedRequest& head) const {
  Found found;
  for (const AdminRoute& route : routes_) {
    auto values = Match(route.pattern, head.path);
    if (!values) continue;
    const bool is_nearer = found.pattern.empty() || values->size() < found.values.size();
    if (is_nearer) found = {route.pattern, nullptr, std::move(*values)};
    if (found.pattern == route.pattern && HasMethod(route, head.method)) found.route = &route;
  }
  return found;
}

Access AdminRoutes::AccessOf(const ServedRequest& head) const {
  const Found found = Find(head);
  if (found.route) return found.route->needs;
  Access least = Access::kRead;
  for (const AdminRoute& route : routes_) {
    if (route.pattern == found.pattern) least = std::min(least, route.needs);
  }
  return least;
}

Answer AdminRoutes::Handle(const ServedRequest& request, const Caller& caller) const {
  const Found found = Find(request);
  if (found.pattern.empty()) return NoSuchPage();
  if (!found.route) {
    std::string methods;
    for (const AdminRoute& route : routes_) {
      if (route.pattern != found.pattern) continue;
      methods += (methods.empty() ? "" : ", ") + std::string(route.method == "GET" ? "GET, HEAD" : route.method);
    }
    Answer answer = Refused(405, "method_not_allowed", "use " + methods);
    answer.allow = methods;
    return answer;
  }
  const Takes takes = found.route->takes;
  if (takes == Takes::kNothing || takes == Takes::kBody) {
    if (Status query = ExpectNoQuery(request.query); !query) return BadRequest(query.error());
  }
  if (takes == Takes::kNothing || takes == Takes::kQuery) {
    if (Status body = ExpectNoBody(request.body); !body) return BadRequest(body.error());
  }
  return found.route->answer({request, caller, found.values});
}

}  // namespace hookswitch
