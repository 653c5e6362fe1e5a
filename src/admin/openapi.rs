//! The description of the interface, made from the route table itself.

use std::collections::BTreeMap;

use utoipa::ToSchema;
use utoipa::openapi::path::{HttpMethod, Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ComponentsBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{
    ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, PathsBuilder, Ref, RefOr, Required, Response, ResponseBuilder,
};

use super::dispatch::{Answer, Call};
use super::routes::{Route, SchemaOf, Verb, routes};
use super::{Backend, Reply};
use crate::api::Problem;

/// `GET /openapi.json`
pub(super) async fn get<B: Backend>(_call: Call<B>) -> Reply<Answer> {
    Answer::json(&document(&routes::<B>()))
}

/// The description of these routes, in OpenAPI 3.1.
#[must_use]
pub fn document<B>(routes: &[Route<B>]) -> OpenApi {
    let mut schemas = BTreeMap::new();
    collect(SchemaOf::of::<Problem>(), &mut schemas);
    let mut paths = PathsBuilder::new();
    for route in routes {
        for described in [route.request, route.response].into_iter().flatten() {
            collect(described, &mut schemas);
        }
        let method = match route.verb {
            Verb::Get => HttpMethod::Get,
            Verb::Post => HttpMethod::Post,
        };
        let item = utoipa::openapi::path::PathItem::new(method, operation(route));
        paths = paths.path(route.path.replace("*}", "}"), item);
    }
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("erasured")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some("Erases people from an application's own database, over a Unix socket")),
        )
        .paths(paths)
        .components(Some(ComponentsBuilder::new().schemas_from_iter(schemas).build()))
        .build()
}

fn collect(described: SchemaOf, schemas: &mut BTreeMap<String, RefOr<Schema>>) {
    let mut parts = Vec::new();
    (described.parts)(&mut parts);
    schemas.extend(parts);
    schemas.insert((described.name)(), (described.schema)());
}

fn operation<B>(route: &Route<B>) -> Operation {
    let mut operation = OperationBuilder::new()
        .summary(Some(route.summary))
        .description(Some(needs(route)))
        .operation_id(Some(operation_id(route)));
    for parameter in path_parameters(route.path).chain(route.query.map(|query| query()).unwrap_or_default()) {
        operation = operation.parameter(parameter);
    }
    if let Some(request) = route.request {
        let body = RequestBodyBuilder::new()
            .content("application/json", ContentBuilder::new().schema(Some(reference((request.name)()))).build())
            .required(Some(Required::True));
        operation = operation.request_body(Some(body.build()));
    }
    let content = ContentBuilder::new().schema(Some(reference(Problem::name().into_owned()))).build();
    let problem = ResponseBuilder::new().description("A problem").content("application/problem+json", content);
    operation = operation.response("200", answer(route, "Done"));
    if route.promises {
        operation = operation.response("202", answer(route, "Not done yet; `Location` says where to ask"));
    }
    operation.response("default", problem.build()).build()
}

fn answer<B>(route: &Route<B>, description: &str) -> Response {
    let mut answer = ResponseBuilder::new().description(description);
    if let Some(response) = route.response {
        let content = ContentBuilder::new().schema(Some(reference((response.name)()))).build();
        answer = answer.content("application/json", content);
    }
    answer.build()
}

fn needs<B>(route: &Route<B>) -> String {
    match route.also {
        None => format!("Needs the permission `{}`.", route.permission),
        Some(also) => format!("Needs the permissions `{}` and `{also}`.", route.permission),
    }
}

fn reference(name: String) -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name(name))
}

/// `get-v1-runs-id`
fn operation_id<B>(route: &Route<B>) -> String {
    let words: Vec<&str> =
        route.path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    format!("{}-{}", route.verb.as_str().to_ascii_lowercase(), words.join("-"))
}

fn path_parameters(path: &'static str) -> impl Iterator<Item = Parameter> {
    path.split('/').filter_map(|part| {
        let name = part.strip_prefix('{')?.trim_end_matches('}').trim_end_matches('*');
        Some(
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
                .build(),
        )
    })
}
