/** What WebGL does for each corner and pixel of facets and of strokes. */

/** A facet is a fan of triangles, of one colour or, where colours follow outputs, of shares of scales. */
export const FACET = `#version 300 es
layout(location = 0) in vec3 place;
layout(location = 1) in vec4 face;
uniform mat4 matrix;
uniform float growth;
flat out vec4 fill;
#ifdef TONES
layout(location = 2) in vec3 tone;
out vec3 tones;
#endif
void main() {
  gl_Position = matrix * vec4(place, 1.0);
  fill = vec4(face.rgb, mix(1.0, face.a, growth));
#ifdef TONES
  tones = tone;
#endif
}`;

export const FACET_PIXEL = `#version 300 es
precision highp float;
flat in vec4 fill;
out vec4 color;
#ifdef TONES
in vec3 tones;
uniform sampler2D scale;
#endif
void main() {
  vec3 plain = fill.rgb;
#ifdef TONES
  int step = clamp(int(floor(256.0 * tones.x)), 0, 255);
  plain = TONES == 1 ? texelFetch(scale, ivec2(step, 0), 0).rgb : clamp(tones, 0.0, 1.0);
#endif
  color = vec4(plain * (gl_FrontFacing ? fill.a : 0.7 * fill.a), 1.0);
}`;

/** A stroke is a rectangle in the picture, somewhat nearer to the eye than what it lies on. */
export const STROKE = `#version 300 es
precision highp float;
precision highp int;
layout(location = 0) in vec3 from;
layout(location = 1) in vec3 to;
layout(location = 2) in float style;
uniform mat4 matrix;
uniform highp sampler2D styles;
uniform float pixels;
uniform vec2 size;
uniform float nearer;
flat out vec4 ink;
flat out float halfWide;
out float across;
void main() {
  vec4 texel = texelFetch(styles, ivec2(int(style), 0), 0);
  int word = int(texel.x);
  float thick = texel.z * pixels;
  // a thin line fades
  ink = vec4(vec3(word & 255, (word >> 8) & 255, (word >> 16) & 255) / 255.0, texel.y * min(1.0, thick));
  halfWide = max(thick, 1.0) / 2.0;
  vec2 a = (matrix * vec4(from, 1.0)).xy * size;
  vec4 end = matrix * vec4((gl_VertexID & 2) == 0 ? from : to, 1.0);
  vec2 way = (matrix * vec4(to, 1.0)).xy * size - a;
  vec2 normal = vec2(-way.y, way.x) * inversesqrt(max(dot(way, way), 1e-30));
  across = ((gl_VertexID & 1) == 0 ? 1.0 : -1.0) * (halfWide + 0.5);
  gl_Position = vec4(end.xy + across * normal / size, end.z - nearer * (halfWide + 0.5), 1.0);
}`;

export const STROKE_PIXEL = `#version 300 es
precision highp float;
flat in vec4 ink;
flat in float halfWide;
in float across;
out vec4 color;
void main() {
  color = vec4(ink.rgb, 1.0) * ink.a * clamp(halfWide + 0.5 - abs(across), 0.0, 1.0);
}`;
