#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/admin/guard.h"
#include "core/ingress/http_server.h"

namespace hookswitch {

/// A request with what stands in the path for the placeholders of its route's pattern, in their order.
struct RoutedRequest {
  const ServedRequest& request;
  const Caller& caller;
  std::vector<std::string_view> values;
};

/// One operation of the admin API.
struct AdminRoute {
  /// What it does not take is answered 400, and named.
  enum class Takes { kNothing, kQuery, kBody, kAnything };

  std::string_view method;  ///< "GET", which answers HEAD too, or "POST"
  /// "/api/v1/events/{id}/replay". A placeholder is one segment of the path, not empty; "{+name}", the last one, has
  /// slashes, too.
  std::string_view pattern;
  Access needs;
  Takes takes;
  std::function<Answer(const RoutedRequest&)> answer;  ///< may block
};

/// The operations of the admin API: finds the one that is meant, and answers 404, 405 and 400 for those that are not.
/// Of the patterns that match a path the one with the fewest placeholders counts. Built once, then read by any thread.
class AdminRoutes {
 public:
  void Add(AdminRoute route);
  const std::vector<AdminRoute>& all() const { return routes_; }

  /// What the request's operation needs; of one that does not exist no more than reading.
  Access AccessOf(const ServedRequest& head) const;
  Answer Handle(const ServedRequest& request, const Caller& caller) const;

 private:
  struct Found {
    std::string_view pattern;           ///< "": the path is none
    const AdminRoute* route = nullptr;  ///< nullptr: the pattern has no such method
    std::vector<std::string_view> values{};
  };
  Found Find(const ServedRequest& head) const;

  std::vector<AdminRoute> routes_;
};

}  // namespace hookswitch
