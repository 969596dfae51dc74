// A delivery has no page of its own: it is shown on its event's.

import {at, get} from "../api.js";
import {h, show} from "../dom.js";
import {go, href} from "../router.js";

export default {
  name: "Delivery",
  path: "/delivery/:id",
  under: "live",
  title: (params) => `Delivery ${params.id}`,
  render(container, {params: {id}}) {
    let ended = false;
    get(at("deliveries", id))
      .then(
        (delivery) => {
          if (!ended) go(href("/event/:id", {id: delivery.event}, {delivery: id}), {replace: true});
        },
        (error) =>
          show(container, h("h1", {}, "This delivery cannot be shown"), h("p", {class: "problem"}, error.message)));
    return {dispose: () => void (ended = true)};
  },
};
