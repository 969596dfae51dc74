#pragma once
#include <string_view>

#include "core/admin/routes.h"
#include "core/ingress/http_server.h"

namespace hookswitch {

/// Adds the inspector page: GET / is its index.html, GET /page/NAME another file of it. They hold no data, so anybody
/// may have them, under any name of this router and by a link from anywhere; what they show they ask the API for.
void AddPage(AdminRoutes& routes);

}  // namespace hookswitch
