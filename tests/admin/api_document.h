#pragma once
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/json.h"

namespace hookswitch {

/// An operation of core/admin/openapi.json.
struct DocumentedOperation {
  std::string method;  ///< "GET"
  std::string path;    ///< "/api/v1/events/{id}"
  const json::object* what = nullptr;
};

/// core/admin/openapi.json.
const json::value& ApiDocument();
std::vector<DocumentedOperation> DocumentedOperations();
/// The parameters of an operation that are in its query.
std::vector<const json::object*> QueryOf(const DocumentedOperation& operation);
/// The schema of an operation's body, or nullptr.
const json::value* BodyOf(const DocumentedOperation& operation);
/// `value`, or what its "$ref" stands for.
const json::object& Resolved(const json::value& value);

/// A response as the document describes one.
struct SeenResponse {
  int status = 0;
  std::string content_type;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string_view body;
};
/// Fails the test unless the document allows the response: status, type, headers, every member of the body. With a 2xx
/// the request must be documented, too: its query and its body. Of an operation that is not in it only 401, 403, 404
/// and 405 are expected.
void ExpectDocumented(std::string_view method, std::string_view target, std::string_view request_body,
                      const SeenResponse& response);

/// The same for the bytes of a request with this first line, and for those of its answer.
void ExpectDocumented(std::string_view request_line, std::string_view answer);
/// The same for a message of the stream.
void ExpectDocumentedMessage(std::string_view kind, const json::value& data);

/// "GET /api/v1/events 200" of each response that ExpectDocumented has seen in this process.
std::set<std::string> SeenStatuses();

}  // namespace hookswitch
